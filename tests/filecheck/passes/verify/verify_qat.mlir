// RUN: hbir-opt %s -p verify-qat --verify-diagnostics --split-input-file | filecheck %s

// CHECK: func.func @good
func.func @good(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = qnt.const_fake_quant %x {min = [-1.28], max = [1.27]} : tensor<4xf32>
  func.return %a : tensor<4xf32>
}

// -----

// CHECK: qnt.const_fake_quant{{.*}}: range [1.0, 2.0] does not hold 0
func.func @without_zero(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = qnt.const_fake_quant %x {min = [1.0], max = [2.0]} : tensor<4xf32>
  func.return %a : tensor<4xf32>
}

// -----

// CHECK: qnt.const_fake_quant{{.*}}: only constants are quantized per channel
func.func @per_channel(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = qnt.const_fake_quant %x {min = [-1.0, -1.0], max = [1.0, 1.0], axis = 0} : tensor<2xf32>
  func.return %a : tensor<2xf32>
}

// -----

// CHECK: qnt.const_fake_quant{{.*}}: stands inside a fusion group
func.func @inside(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %w = hbir.constant dense<1.0> : tensor<1x1xf32>
  %a = hbir.linear %x, %w {fusion_group = 0 : i64} : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  %q = qnt.const_fake_quant %a {min = [-1.0], max = [1.0]} : tensor<1x1xf32>
  %b = hbir.relu %a {fusion_group = 0 : i64} : tensor<1x1xf32>
  func.return %b : tensor<1x1xf32>
}

// -----

// CHECK: qnt.const_fake_quant{{.*}}: bits must be 8 or 16, got 12
func.func @bits(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = qnt.const_fake_quant %x {min = [-1.28], max = [1.27], bits = 12} : tensor<4xf32>
  func.return %a : tensor<4xf32>
}

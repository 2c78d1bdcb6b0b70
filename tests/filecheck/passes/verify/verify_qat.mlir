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

// -----

// CHECK: func.func @float16
func.func @float16(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = hbir.fake_cast %x {dtype = f16} : tensor<4xf32>
  func.return %a : tensor<4xf32>
}

// -----

// Once the march is known, it must have float16.

// CHECK: hbir.fake_cast{{.*}}: tensor "x" is float16, which nash-e doesn't have; calibrate with int16 in its place, or convert for nash-p, nash-h, nash-b
builtin.module attributes {hbdk.target = "nash-e"} {
  func.func @march(%x: tensor<4xf32> {hbir.name = "x"}) -> tensor<4xf32> {
    %a = hbir.fake_cast %x {dtype = f16} : tensor<4xf32>
    func.return %a : tensor<4xf32>
  }
}

// -----

// CHECK: func.func @has_it
builtin.module attributes {hbdk.target = "nash-b"} {
  func.func @has_it(%x: tensor<4xf32>) -> tensor<4xf32> {
    %a = hbir.fake_cast %x {dtype = f16} : tensor<4xf32>
    func.return %a : tensor<4xf32>
  }
}

// -----

// CHECK: hbir.matmul{{.*}}: "x" can't be float16 here: TAE multiplies integers and gives float16: the operands of a convolution, linear layer or matmul are int8 or int16; operand 1 is float16. Use int8 or int16 for its inputs and float16 for its output
func.func @products(%x: tensor<2x2xf32> {hbir.name = "x"}, %y: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %a = hbir.fake_cast %x {dtype = f16} : tensor<2x2xf32>
  %b = hbir.matmul %y, %a : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x2xf32>
  func.return %b : tensor<2x2xf32>
}

// -----

// CHECK: hbir.reduce_argmax{{.*}}: "x" can't be float16 here: Argmax and top-k order integers: their operand is int8 or int16; operand 0 is float16. Use int16 for what it reads
func.func @order(%x: tensor<2x2xf32> {hbir.name = "x"}) -> tensor<2x1xsi64> {
  %a = hbir.fake_cast %x {dtype = f16} : tensor<2x2xf32>
  %b = hbir.reduce_argmax %a {dims = [1], keepDim = true} : (tensor<2x2xf32>) -> tensor<2x1xsi64>
  func.return %b : tensor<2x1xsi64>
}

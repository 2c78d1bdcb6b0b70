// RUN: hbir-opt %s -p place-ops,expand-fake-quants,lower-to-bpu,dead-code-elimination | filecheck %s

// Multipliers are as the scales 0.5 and 0.25; the values are the integers of 0 and 1.

// CHECK-LABEL: func.func @two_tensors
// CHECK: bpu.compare {{.*}}zeroPoints = [0, 2], values = [-128, 127], mode = "less", multipliers = [32767, 16384]
func.func @two_tensors(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %a = qnt.const_fake_quant %x {min = [-64.0], max = [63.5]} : tensor<4xf32>
  %b = qnt.const_fake_quant %y {min = [-32.5], max = [31.25]} : tensor<4xf32>
  %c = hbir.less %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %d = qnt.const_fake_quant %c {min = [0.0], max = [1.0]} : tensor<4xf32>
  func.return %d : tensor<4xf32>
}

// With a number it is a table.

// CHECK-LABEL: func.func @number
// CHECK: bpu.lut
func.func @number(%x: tensor<4xf32>) -> tensor<4xf32> {
  %n = hbir.constant dense<0.5> : tensor<f32>
  %a = qnt.const_fake_quant %x {min = [-64.0], max = [63.5]} : tensor<4xf32>
  %c = hbir.greater_equal %a, %n : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %d = qnt.const_fake_quant %c {min = [0.0], max = [1.0]} : tensor<4xf32>
  func.return %d : tensor<4xf32>
}

// A choice copies integers; false is the condition's zero point.

// CHECK-LABEL: func.func @choice
// CHECK: bpu.where {{.*}}conditionZeroPoint = -128 : i64
func.func @choice(%c: tensor<4xf32>, %x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %q = qnt.const_fake_quant %c {min = [0.0], max = [1.0]} : tensor<4xf32>
  %a = qnt.const_fake_quant %x {min = [-64.0], max = [63.5]} : tensor<4xf32>
  %b = qnt.const_fake_quant %y {min = [-64.0], max = [63.5]} : tensor<4xf32>
  %w = hbir.where %q, %a, %b : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %d = qnt.const_fake_quant %w {min = [-64.0], max = [63.5]} : tensor<4xf32>
  func.return %d : tensor<4xf32>
}

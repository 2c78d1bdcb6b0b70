// RUN: hbir-opt %s -p place-ops,expand-fake-quants,lower-to-bpu,simplify-moves,dead-code-elimination | filecheck %s

// The right side is laid out anew for the machine; its product with the scales is the multiplier:
// 0.5 · 0.25 · 0.5 / 1 = 2^-4, and the left side's zero point goes along.

// CHECK-LABEL: func.func @right
// CHECK: %[[K:.*]] = bpu.transpose %{{.*}} {{.*}}dims = [0, 2, 1]
// CHECK: bpu.matmul %{{.*}}, %[[K]] {{.*}}lhsZeroPoint = -3 : i64, {{.*}}multiplier = 16384 : i64, {{.*}}shift = 18 : i64} : (tensor<2x3x4xsi8>, tensor<2x5x4xsi8>) -> tensor<2x3x5xsi8>
func.func @right(%x: tensor<2x3x4xf32>, %y: tensor<2x4x5xf32>) -> tensor<2x3x5xf32> {
  %a = qnt.const_fake_quant %x {min = [-62.5], max = [65.0]} : tensor<2x3x4xf32>
  %b = qnt.const_fake_quant %y {min = [-32.0], max = [31.75]} : tensor<2x4x5xf32>
  %c = hbir.matmul %a, %b {scale = 0.5} : (tensor<2x3x4xf32>, tensor<2x4x5xf32>) -> tensor<2x3x5xf32>
  %d = qnt.const_fake_quant %c {min = [-128.0], max = [127.0]} : tensor<2x3x5xf32>
  func.return %d : tensor<2x3x5xf32>
}

// A right side that is transposed already needs no relayout, one with a zero point is requantized.

// CHECK-LABEL: func.func @transposed
// CHECK-NOT: bpu.transpose
// CHECK: %[[K:.*]] = bpu.rescale %{{.*}} inputZeroPoint = -3 : i64
// CHECK: bpu.matmul %{{.*}}, %[[K]]
func.func @transposed(%x: tensor<3x4xf32>, %y: tensor<5x4xf32>) -> tensor<3x5xf32> {
  %a = qnt.const_fake_quant %x {min = [-64.0], max = [63.5]} : tensor<3x4xf32>
  %b = qnt.const_fake_quant %y {min = [-62.5], max = [65.0]} : tensor<5x4xf32>
  %t = hbir.transpose %b {dims = [1, 0]} : (tensor<5x4xf32>) -> tensor<4x5xf32>
  %u = qnt.const_fake_quant %t {min = [-62.5], max = [65.0]} : tensor<4x5xf32>
  %c = hbir.matmul %a, %u : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  %d = qnt.const_fake_quant %c {min = [-128.0], max = [127.0]} : tensor<3x5xf32>
  func.return %d : tensor<3x5xf32>
}

// A constant on the right is transposed here and now.

// CHECK-LABEL: func.func @constant
// CHECK-NOT: bpu.transpose
// CHECK: %[[W:.*]] = hbir.constant dense<{{\[\[\[}}2, 6], [4, 8{{\]\]\]}}> : tensor<1x2x2xsi8>
// CHECK: bpu.matmul %{{.*}}, %[[W]]
func.func @constant(%x: tensor<3x1x2xf32>) -> tensor<3x1x2xf32> {
  %a = qnt.const_fake_quant %x {min = [-64.0], max = [63.5]} : tensor<3x1x2xf32>
  %w = hbir.constant dense<[[[1.0, 2.0], [3.0, 4.0]]]> : tensor<1x2x2xf32>
  %b = qnt.const_fake_quant %w {min = [-64.0], max = [63.5]} : tensor<1x2x2xf32>
  %c = hbir.matmul %a, %b : (tensor<3x1x2xf32>, tensor<1x2x2xf32>) -> tensor<3x1x2xf32>
  %d = qnt.const_fake_quant %c {min = [-128.0], max = [127.0]} : tensor<3x1x2xf32>
  func.return %d : tensor<3x1x2xf32>
}

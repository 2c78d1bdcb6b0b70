// RUN: hbir-opt %s -p place-ops,expand-fake-quants,lower-to-bpu,cancel-quantize-dequantize,dead-code-elimination | filecheck %s

// Moves move integers, padding with the integer of 1.0 (2 steps of 0.5 above zero point 0); a resize
// has its positions in fixed point.

// CHECK-LABEL: func.func @f
// CHECK: bpu.pad {{.*}}padValue = 2
// CHECK: bpu.slice
// CHECK: bpu.concat
// CHECK: bpu.resize2d {{.*}}mode = "nearest"
func.func @f(%x: tensor<1x2x2x1xf32>) -> tensor<1x4x4x2xf32> {
  %q = qnt.const_fake_quant %x {min = [-64.0], max = [63.5]} : tensor<1x2x2x1xf32>
  %a = hbir.pad %q {begin = [0, 1, 0, 0], end = [0, 0, 0, 0], padValue = 1.0} : (tensor<1x2x2x1xf32>) -> tensor<1x3x2x1xf32>
  %aq = qnt.const_fake_quant %a {min = [-64.0], max = [63.5]} : tensor<1x3x2x1xf32>
  %b = hbir.slice %aq {begin = [0, 0, 0, 0], end = [1, 2, 2, 1]} : (tensor<1x3x2x1xf32>) -> tensor<1x2x2x1xf32>
  %bq = qnt.const_fake_quant %b {min = [-64.0], max = [63.5]} : tensor<1x2x2x1xf32>
  %c = hbir.concat %q, %bq {dim = 3} : (tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>) -> tensor<1x2x2x2xf32>
  %cq = qnt.const_fake_quant %c {min = [-64.0], max = [63.5]} : tensor<1x2x2x2xf32>
  %d = hbir.resize2d %cq {size = [4, 4], step = [0.5, 0.5], nearestMode = "floor"} : (tensor<1x2x2x2xf32>) -> tensor<1x4x4x2xf32>
  %dq = qnt.const_fake_quant %d {min = [-64.0], max = [63.5]} : tensor<1x4x4x2xf32>
  func.return %dq : tensor<1x4x4x2xf32>
}

// A result in another scale is requantized behind the move.

// CHECK-LABEL: func.func @rescaled
// CHECK: %[[R:.*]] = bpu.reshape
// CHECK: bpu.rescale %[[R]] {{.*}}multiplier = 16384 : i64, shift = 13
func.func @rescaled(%x: tensor<2x2xf32>) -> tensor<4xf32> {
  %q = qnt.const_fake_quant %x {min = [-64.0], max = [63.5]} : tensor<2x2xf32>
  %a = hbir.reshape %q {shape = [4]} : (tensor<2x2xf32>) -> tensor<4xf32>
  %b = qnt.const_fake_quant %a {min = [-32.0], max = [31.75]} : tensor<4xf32>
  func.return %b : tensor<4xf32>
}

// An accumulator on its way out is moved on the BPU too: as integers where its channels stay last,
// dequantized where they don't.

// CHECK-LABEL: func.func @output
// CHECK: %[[A:.*]] = bpu.conv2d {{.*}} -> tensor<1x2x3x4xsi32>
// CHECK: %[[R:.*]] = bpu.reshape %[[A]] {{.*}} -> tensor<1x6x4xsi32>
// CHECK: %[[D:.*]] = qnt.dequantize %[[R]]
// CHECK: %[[T:.*]] = bpu.transpose %[[D]] {{.*}} -> tensor<1x4x6xf32>
// CHECK-NOT: hbtl.call
// CHECK: func.return %[[T]]
func.func @output(%x: tensor<1x2x3x1xf32>) -> tensor<1x4x6xf32> {
  %q = qnt.const_fake_quant %x {min = [-64.0], max = [63.5]} : tensor<1x2x3x1xf32>
  %w = hbir.constant dense<[[[[1.0]]], [[[2.0]]], [[[3.0]]], [[[4.0]]]]> : tensor<4x1x1x1xf32>
  %a = hbir.conv2d %q, %w {fusion_group = 0 : i64} : (tensor<1x2x3x1xf32>, tensor<4x1x1x1xf32>) -> tensor<1x2x3x4xf32>
  %b = hbir.reshape %a {shape = [1, 6, 4]} : (tensor<1x2x3x4xf32>) -> tensor<1x6x4xf32>
  %c = hbir.transpose %b {dims = [0, 2, 1]} : (tensor<1x6x4xf32>) -> tensor<1x4x6xf32>
  func.return %c : tensor<1x4x6xf32>
}

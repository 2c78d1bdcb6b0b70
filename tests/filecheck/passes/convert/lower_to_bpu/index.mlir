// RUN: hbir-opt %s -p quantize-constants,place-ops,expand-fake-quants,lower-to-bpu,dead-code-elimination | filecheck %s

// A table that is constant is indexed as integers of the result's scale; indices are read as they are.

// CHECK-LABEL: func.func @embedding
// CHECK: %[[T:.*]] = hbir.constant dense<[1, 2, 3]> : tensor<3xsi8>
// CHECK: bpu.index %[[T]], %i {{.*}} : (tensor<3xsi8>, tensor<2xsi64>) -> tensor<2xsi8>
func.func @embedding(%i: tensor<2xsi64>) -> tensor<2xf32> {
  %t = hbir.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %a = hbir.index %t, %i : (tensor<3xf32>, tensor<2xsi64>) -> tensor<2xf32>
  %b = qnt.const_fake_quant %a {min = [-128.0], max = [127.0]} : tensor<2xf32>
  func.return %b : tensor<2xf32>
}

// What gives indices has no scale; what reads them may be a BPU op, too.

// CHECK-LABEL: func.func @best
// CHECK: %[[Q:.*]] = qnt.quantize %x
// CHECK: %[[I:.*]] = bpu.topk %[[Q]] {{.*}}k = 2 : i64{{.*}} -> tensor<2xsi64>
// CHECK: %[[V:.*]] = bpu.gather_elements %[[Q]], %[[I]]
// CHECK: %[[M:.*]] = bpu.reduce_argmax %[[V]] {dims = [0]}
// CHECK: func.return %{{.*}}, %[[M]], %[[I]]
func.func @best(%x: tensor<9xf32>) -> (tensor<2xf32>, tensor<1xsi64>, tensor<2xsi64>) {
  %q = qnt.const_fake_quant %x {min = [-128.0], max = [127.0]} : tensor<9xf32>
  %i = hbir.topk %q {k = 2} : (tensor<9xf32>) -> tensor<2xsi64>
  %v = hbir.gather_elements %q, %i : (tensor<9xf32>, tensor<2xsi64>) -> tensor<2xf32>
  %w = qnt.const_fake_quant %v {min = [-128.0], max = [127.0]} : tensor<2xf32>
  %m = hbir.reduce_argmax %w {dims = [0]} : (tensor<2xf32>) -> tensor<1xsi64>
  func.return %w, %m, %i : tensor<2xf32>, tensor<1xsi64>, tensor<2xsi64>
}

// A grid of step 2^-14 on an image of 5 x 9: half an extent per unit, 2^32 fractions per element.

// CHECK-LABEL: func.func @grid
// CHECK: bpu.grid_sample {{.*}}step = [655360, 1179648], initialOffset = [8589934592, 17179869184]
func.func @grid(%x: tensor<1x5x9x2xf32>, %g: tensor<1x3x4x2xf32>) -> tensor<1x3x4x2xf32> {
  %q = qnt.const_fake_quant %x {min = [-128.0], max = [127.0]} : tensor<1x5x9x2xf32>
  %h = qnt.const_fake_quant %g {bits = 16, min = [-2.0], max = [1.99993896484375]} : tensor<1x3x4x2xf32>
  %a = hbir.grid_sample %q, %h : (tensor<1x5x9x2xf32>, tensor<1x3x4x2xf32>) -> tensor<1x3x4x2xf32>
  %b = qnt.const_fake_quant %a {min = [-128.0], max = [127.0]} : tensor<1x3x4x2xf32>
  func.return %b : tensor<1x3x4x2xf32>
}

// RUN: hbir-opt %s -p absorb-pad,dead-code-elimination | filecheck %s

// Zero padding of H and W joins the convolution's own.

// CHECK-LABEL: func.func @conv
// CHECK-NOT: hbir.pad
// CHECK: hbir.conv2d %x, %{{.*}} {{.*}}pad = [2, 0, 2, 1]
func.func @conv(%x: tensor<1x2x2x1xf32>) -> tensor<1x4x1x1xf32> {
  %w = hbir.constant dense<1.0> : tensor<1x3x3x1xf32>
  %a = hbir.pad %x {begin = [0, 1, 0, 0], end = [0, 1, 1, 0]} : (tensor<1x2x2x1xf32>) -> tensor<1x4x3x1xf32>
  %b = hbir.conv2d %a, %w {pad = [1, 0, 1, 0]} : (tensor<1x4x3x1xf32>, tensor<1x3x3x1xf32>) -> tensor<1x4x1x1xf32>
  func.return %b : tensor<1x4x1x1xf32>
}

// Other values don't, nor padding that an average wouldn't count.

// CHECK-LABEL: func.func @stays
// CHECK: hbir.pad
// CHECK: hbir.pad
func.func @stays(%x: tensor<1x2x2x1xf32>) -> (tensor<1x2x2x1xf32>, tensor<1x3x3x1xf32>) {
  %w = hbir.constant dense<1.0> : tensor<1x3x3x1xf32>
  %a = hbir.pad %x {begin = [0, 1, 1, 0], end = [0, 1, 1, 0], padValue = 1.0} : (tensor<1x2x2x1xf32>) -> tensor<1x4x4x1xf32>
  %b = hbir.conv2d %a, %w : (tensor<1x4x4x1xf32>, tensor<1x3x3x1xf32>) -> tensor<1x2x2x1xf32>
  %c = hbir.pad %x {begin = [0, 1, 1, 0], end = [0, 1, 1, 0]} : (tensor<1x2x2x1xf32>) -> tensor<1x4x4x1xf32>
  %d = hbir.avg_pool %c {kernel = [2, 2], countIncludePad = false} : (tensor<1x4x4x1xf32>) -> tensor<1x3x3x1xf32>
  func.return %b, %d : tensor<1x2x2x1xf32>, tensor<1x3x3x1xf32>
}

// RUN: hbir-opt %s -p absorb-pointwise | filecheck %s

// 2·x + 1 before a sum of both channels: 2·(x0 + x1) + 2.
// CHECK-LABEL: @depthwise
// CHECK-DAG: dense<2.000000e+00> : tensor<1x1x1x2xf32>
// CHECK-DAG: dense<2.000000e+00> : tensor<1xf32>
// CHECK: hbir.conv2d %x
// CHECK-NOT: hbir.conv2d
// CHECK: return
func.func @depthwise(%x: tensor<1x2x2x2xf32>) -> tensor<1x2x2x1xf32> {
  %w = "hbir.constant"() <{values = dense<2.0> : tensor<2x1x1x1xf32>}> : () -> tensor<2x1x1x1xf32>
  %b = "hbir.constant"() <{values = dense<1.0> : tensor<2xf32>}> : () -> tensor<2xf32>
  %v = "hbir.constant"() <{values = dense<1.0> : tensor<1x1x1x2xf32>}> : () -> tensor<1x1x1x2xf32>
  %0 = hbir.conv2d %x, %w, %b {groupNum = 2} : (tensor<1x2x2x2xf32>, tensor<2x1x1x1xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
  %1 = hbir.conv2d %0, %v : (tensor<1x2x2x2xf32>, tensor<1x1x1x2xf32>) -> tensor<1x2x2x1xf32>
  func.return %1 : tensor<1x2x2x1xf32>
}

// A padded convolution would see another border.
// CHECK-LABEL: @padded
// CHECK: hbir.conv2d
// CHECK: hbir.conv2d
func.func @padded(%x: tensor<1x2x2x2xf32>) -> tensor<1x2x2x1xf32> {
  %w = "hbir.constant"() <{values = dense<2.0> : tensor<2x1x1x1xf32>}> : () -> tensor<2x1x1x1xf32>
  %v = "hbir.constant"() <{values = dense<1.0> : tensor<1x3x3x2xf32>}> : () -> tensor<1x3x3x2xf32>
  %0 = hbir.conv2d %x, %w {groupNum = 2} : (tensor<1x2x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32>
  %1 = hbir.conv2d %0, %v {pad = [1, 1, 1, 1]} : (tensor<1x2x2x2xf32>, tensor<1x3x3x2xf32>) -> tensor<1x2x2x1xf32>
  func.return %1 : tensor<1x2x2x1xf32>
}

// What isn't square would make the weights grow; what is read elsewhere is needed.
// CHECK-LABEL: @kept
// CHECK-COUNT-4: hbir.conv2d
func.func @kept(%x: tensor<1x2x2x2xf32>, %y: tensor<1x2x2x1xf32>) -> (tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>) {
  %w = "hbir.constant"() <{values = dense<2.0> : tensor<1x1x1x2xf32>}> : () -> tensor<1x1x1x2xf32>
  %v = "hbir.constant"() <{values = dense<1.0> : tensor<1x1x1x1xf32>}> : () -> tensor<1x1x1x1xf32>
  %0 = hbir.conv2d %x, %w : (tensor<1x2x2x2xf32>, tensor<1x1x1x2xf32>) -> tensor<1x2x2x1xf32>
  %1 = hbir.conv2d %0, %v : (tensor<1x2x2x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x2x2x1xf32>
  %2 = hbir.conv2d %y, %v : (tensor<1x2x2x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x2x2x1xf32>
  %3 = hbir.conv2d %2, %v : (tensor<1x2x2x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x2x2x1xf32>
  func.return %1, %2, %3 : tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>
}

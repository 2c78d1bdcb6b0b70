// RUN: hbir-opt %s -p decompose-image-preprocess | filecheck %s

// Nothing but a normalisation: a batch norm of mean 0 and variance 1.
// CHECK-LABEL: @skip
// CHECK-DAG: %[[FACTOR:.*]] = hbir.constant{{.*}}dense<[2.500000e-01, 5.000000e-01]>
// CHECK-DAG: %[[OFFSET:.*]] = hbir.constant{{.*}}dense<[3.150000e+01, 6.300000e+01]>
// CHECK: hbir.batchnorm %x, %{{.*}}, %{{.*}}, %[[FACTOR]], %[[OFFSET]] {eps = 0.0
// CHECK-NOT: image_preprocess
func.func @skip(%x: tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32> {
  %0 = hbir.image_preprocess %x {mean = [2.0, 2.0], sd = [4.0, 2.0]} : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  func.return %0 : tensor<1x2x2x2xf32>
}

// Channels in the other order: one 1x1 convolution that normalises too.
// CHECK-LABEL: @swap
// CHECK-DAG: dense<{{\[\[\[\[}}0.000000e+00, 0.000000e+00, 1.000000e+00]
// CHECK: hbir.conv2d %x
// CHECK-NOT: hbir.clip
// CHECK-NOT: hbir.batchnorm
// CHECK: return
func.func @swap(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
  %0 = hbir.image_preprocess %x {csc = "bgr2rgb", signed = false} : (tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32>
  func.return %0 : tensor<1x2x2x3xf32>
}

// One mean and deviation for all channels: the limits move along.
// CHECK-LABEL: @uniform
// CHECK: %[[C:.*]] = hbir.conv2d %x
// CHECK: hbir.clip %[[C]] {min = -1.000000e+00{{.*}}max = 1.000000e+00
// CHECK-NOT: hbir.batchnorm
// CHECK: return
func.func @uniform(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
  %0 = hbir.image_preprocess %x {csc = "yuvbt601full2rgb", mean = [127.5], sd = [127.5]} : (tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32>
  func.return %0 : tensor<1x2x2x3xf32>
}

// One per channel: limited before it is normalised.
// CHECK-LABEL: @each
// CHECK: %[[C:.*]] = hbir.conv2d %x
// CHECK: %[[L:.*]] = hbir.clip %[[C]] {min = 0.000000e+00{{.*}}max = 2.550000e+02
// CHECK: hbir.batchnorm %[[L]]
func.func @each(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
  %0 = hbir.image_preprocess %x {csc = "yuvbt601video2bgr", mean = [1.0, 2.0, 3.0]} : (tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32>
  func.return %0 : tensor<1x2x2x3xf32>
}

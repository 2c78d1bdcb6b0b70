// RUN: hbir-opt %s -p lower-batchnorm,dead-code-elimination | filecheck %s

// On (N, H, W, C) a depthwise convolution of factors 1/2 and 3/2.

// CHECK-LABEL: func.func @image
// CHECK-DAG: %[[W:.*]] = hbir.constant {{.*}}5.000000e-01{{.*}}1.500000e+00{{.*}} : tensor<2x1x1x1xf32>
// CHECK-DAG: %[[B:.*]] = hbir.constant dense<[9.500000e+00, 1.700000e+01]>
// CHECK: hbir.conv2d %x, %[[W]], %[[B]] {{.*}}groupNum = 2
func.func @image(%x: tensor<1x3x3x2xf32>) -> tensor<1x3x3x2xf32> {
  %mean = hbir.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %var = hbir.constant dense<[3.0, 3.0]> : tensor<2xf32>
  %weight = hbir.constant dense<[1.0, 3.0]> : tensor<2xf32>
  %bias = hbir.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %y = hbir.batchnorm %x, %mean, %var, %weight, %bias {eps = 1.0} : (tensor<1x3x3x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x3x3x2xf32>
  func.return %y : tensor<1x3x3x2xf32>
}

// On other ranks a multiplication and an addition.

// CHECK-LABEL: func.func @vector
// CHECK: %[[P:.*]] = hbir.mul %x
// CHECK: hbir.add %[[P]]
func.func @vector(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %one = hbir.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %y = hbir.batchnorm %x, %one, %one, %one, %one : (tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  func.return %y : tensor<1x2xf32>
}

// RUN: hbir-opt %s -p absorb-batchnorm,dead-code-elimination | filecheck %s

// After a linear layer: with variance 3, eps 1 the factors are 1/2 and 3/2, the offsets
// bias - mean * factor = 10 - 0.5 and 20 - 3.

// CHECK-LABEL: func.func @after
// CHECK-DAG: %[[W:.*]] = hbir.constant dense<{{\[\[}}1.000000e+00, 3.000000e+00{{\]\]}}> : tensor<1x2xf32>
// CHECK-DAG: %[[B:.*]] = hbir.constant dense<[9.500000e+00, 1.700000e+01]> : tensor<2xf32>
// CHECK: %[[Y:.*]] = hbir.linear %x, %[[W]], %[[B]]
// CHECK-NEXT: func.return %[[Y]]
func.func @after(%x: tensor<1x1xf32>) -> tensor<1x2xf32> {
  %w = hbir.constant dense<[[2.0, 2.0]]> : tensor<1x2xf32>
  %mean = hbir.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %var = hbir.constant dense<[3.0, 3.0]> : tensor<2xf32>
  %weight = hbir.constant dense<[1.0, 3.0]> : tensor<2xf32>
  %bias = hbir.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %y = hbir.linear %x, %w : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %z = hbir.batchnorm %y, %mean, %var, %weight, %bias {eps = 1.0} : (tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  func.return %z : tensor<1x2xf32>
}

// Before a convolution only without padding: a border of zeros isn't the normalised zero.

// CHECK-LABEL: func.func @before
// CHECK: %[[A:.*]] = hbir.conv2d %x, %{{.*}}, %{{.*}} : (tensor<1x3x3x1xf32>
// CHECK: %[[N:.*]] = hbir.batchnorm %[[A]]
// CHECK: hbir.conv2d %[[N]]
func.func @before(%x: tensor<1x3x3x1xf32>) -> tensor<1x3x3x1xf32> {
  %w = hbir.constant dense<[[[[2.0]]]]> : tensor<1x1x1x1xf32>
  %one = hbir.constant dense<[1.0]> : tensor<1xf32>
  %a = hbir.batchnorm %x, %one, %one, %one, %one {eps = 0.0} : (tensor<1x3x3x1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x3x3x1xf32>
  %b = hbir.conv2d %a, %w : (tensor<1x3x3x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x3x3x1xf32>
  %s = hbir.sigmoid %b : tensor<1x3x3x1xf32>
  %two = hbir.constant dense<[2.0]> : tensor<1xf32>
  %c = hbir.batchnorm %b, %one, %one, %one, %two {eps = 0.0} : (tensor<1x3x3x1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x3x3x1xf32>
  %k = hbir.constant dense<[[[[1.0], [1.0], [1.0]]]]> : tensor<1x1x3x1xf32>
  %d = hbir.conv2d %c, %k {pad = [0, 1, 0, 1]} : (tensor<1x3x3x1xf32>, tensor<1x1x3x1xf32>) -> tensor<1x3x3x1xf32>
  %e = hbir.add %d, %s : (tensor<1x3x3x1xf32>, tensor<1x3x3x1xf32>) -> tensor<1x3x3x1xf32>
  func.return %e : tensor<1x3x3x1xf32>
}

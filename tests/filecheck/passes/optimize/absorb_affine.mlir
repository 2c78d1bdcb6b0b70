// RUN: hbir-opt %s -p absorb-affine,dead-code-elimination | filecheck %s

// 1 - (2 * (x . w) + [1, 2]): weights times -2, bias 1 - [1, 2].

// CHECK-LABEL: func.func @f
// CHECK-DAG: %[[W:.*]] = hbir.constant dense<{{\[\[}}-6.000000e+00, -8.000000e+00{{\]\]}}>
// CHECK-DAG: %[[B:.*]] = hbir.constant dense<[0.000000e+00, -1.000000e+00]>
// CHECK: %[[Y:.*]] = hbir.linear %x, %[[W]], %[[B]]
// CHECK-NEXT: func.return %[[Y]]
func.func @f(%x: tensor<1x1xf32>) -> tensor<1x2xf32> {
  %w = hbir.constant dense<[[3.0, 4.0]]> : tensor<1x2xf32>
  %two = hbir.constant dense<2.0> : tensor<f32>
  %c = hbir.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %one = hbir.constant dense<1.0> : tensor<f32>
  %y = hbir.linear %x, %w : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %a = hbir.mul %two, %y : (tensor<f32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %b = hbir.add %a, %c : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %d = hbir.sub %one, %b : (tensor<f32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  func.return %d : tensor<1x2xf32>
}

// A constant that varies by row isn't a bias; nor is one for a value that is read twice.

// CHECK-LABEL: func.func @stays
// CHECK: hbir.add
// CHECK: hbir.mul
func.func @stays(%x: tensor<2x1xf32>) -> (tensor<2x1xf32>, tensor<2x1xf32>) {
  %w = hbir.constant dense<[[3.0]]> : tensor<1x1xf32>
  %rows = hbir.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %two = hbir.constant dense<2.0> : tensor<f32>
  %y = hbir.linear %x, %w : (tensor<2x1xf32>, tensor<1x1xf32>) -> tensor<2x1xf32>
  %a = hbir.add %y, %rows : (tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  %b = hbir.mul %y, %two : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  func.return %a, %b : tensor<2x1xf32>, tensor<2x1xf32>
}

// RUN: hbir-opt %s -p matmul-to-linear | filecheck %s

// A constant right side makes a linear layer; an activation stays a matmul.

// CHECK-LABEL: func.func @f
// CHECK: hbir.linear %x, %w
// CHECK: hbir.matmul %x, %y
func.func @f(%x: tensor<1x2xf32>, %y: tensor<2x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %w = hbir.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %a = hbir.matmul %x, %w : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %b = hbir.matmul %x, %y : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  func.return %a, %b : tensor<1x2xf32>, tensor<1x2xf32>
}

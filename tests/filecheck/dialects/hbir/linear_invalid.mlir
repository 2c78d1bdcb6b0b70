// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// What shape inference refuses, and what it says.

// CHECK: error: hbir.linear ({{.*}}): w takes 3 input channels, x of shape [2, 5] has 5
func.func @f(%x: tensor<2x5xf32>, %w: tensor<3x4xf32>) {
  %0 = hbir.linear %x, %w : (tensor<2x5xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  func.return
}

// -----

// CHECK: error: hbir.linear ({{.*}}): bias must be (4,), got shape [3]
func.func @f(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>, %b: tensor<3xf32>) {
  %0 = hbir.linear %x, %w, %b : (tensor<2x3xf32>, tensor<3x4xf32>, tensor<3xf32>) -> tensor<2x4xf32>
  func.return
}

// -----

// CHECK: error: hbir.matmul ({{.*}}): lhs of shape [2, 3] has 3 columns, rhs of shape [4, 3] has 4 rows
func.func @f(%x: tensor<2x3xf32>, %y: tensor<4x3xf32>) {
  %0 = hbir.matmul %x, %y : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.matmul ({{.*}}): lhs and rhs must be (..., M, K) and (..., K, N), got [3] and [3, 3]
func.func @f(%x: tensor<3xf32>, %y: tensor<3x3xf32>) {
  %0 = hbir.matmul %x, %y : (tensor<3xf32>, tensor<3x3xf32>) -> tensor<3xf32>
  func.return
}

// -----

// CHECK: error: hbir.matmul ({{.*}}): shapes [2] and [3] do not broadcast (dimension -1)
func.func @f(%x: tensor<2x5x3xf32>, %y: tensor<3x3x3xf32>) {
  %0 = hbir.matmul %x, %y : (tensor<2x5x3xf32>, tensor<3x3x3xf32>) -> tensor<2x5x3xf32>
  func.return
}

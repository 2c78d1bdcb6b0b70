// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// What shape inference refuses, and what it says.

// CHECK: error: hbir.attention ({{.*}}): query and key must have one last extent, got [4, 8], [5, 6] and [5, 6]
func.func @f(%q: tensor<4x8xf32>, %k: tensor<5x6xf32>) {
  %0 = hbir.attention %q, %k, %k {scale = 1.0} : (tensor<4x8xf32>, tensor<5x6xf32>, tensor<5x6xf32>) -> tensor<4x6xf32>
  func.return
}

// -----

// CHECK: error: hbir.attention ({{.*}}): mask must broadcast to the scores' [4, 5], got [2, 4, 5]
func.func @f(%q: tensor<4x8xf32>, %k: tensor<5x8xf32>, %m: tensor<2x4x5xf32>) {
  %0 = hbir.attention %q, %k, %k, %m {scale = 1.0} : (tensor<4x8xf32>, tensor<5x8xf32>, tensor<5x8xf32>, tensor<2x4x5xf32>) -> tensor<4x8xf32>
  func.return
}

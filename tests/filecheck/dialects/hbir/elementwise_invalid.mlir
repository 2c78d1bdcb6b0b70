// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// What shape inference refuses, and what it says.

// CHECK: error: hbir.add ({{.*}}): shapes [4, 5] and [4] do not broadcast (dimension -1)
func.func @f(%x: tensor<4x5xf32>, %y: tensor<4xf32>) {
  %0 = hbir.add %x, %y : (tensor<4x5xf32>, tensor<4xf32>) -> tensor<4x5xf32>
  func.return
}

// -----

// CHECK: error: hbir.mul ({{.*}}): rhs must hold f32, got si32
func.func @f(%x: tensor<4x5xf32>, %y: tensor<5xsi32>) {
  %0 = hbir.mul %x, %y : (tensor<4x5xf32>, tensor<5xsi32>) -> tensor<4x5xf32>
  func.return
}

// -----

// CHECK: error: hbir.max ({{.*}}): result has shape [1, 5], operands and properties give [4, 5]
func.func @f(%x: tensor<1x5xf32>, %y: tensor<4x1xf32>) {
  %0 = hbir.max %x, %y : (tensor<1x5xf32>, tensor<4x1xf32>) -> tensor<1x5xf32>
  func.return
}

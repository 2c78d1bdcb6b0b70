// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// What shape inference refuses, and what it says.

// CHECK: error: hbir.less ({{.*}}): rhs must hold f32, got si64
func.func @f(%x: tensor<4xf32>, %i: tensor<4xsi64>) {
  %0 = hbir.less %x, %i : (tensor<4xf32>, tensor<4xsi64>) -> tensor<4xi1>
  func.return
}

// -----

// CHECK: error: hbir.less ({{.*}}): result has element type si8, allowed are i1, f32
func.func @f(%x: tensor<4xf32>) {
  %0 = hbir.less %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xsi8>
  func.return
}

// -----

// CHECK: error: hbir.logical_and ({{.*}}): rhs must hold i1, got f32
func.func @f(%p: tensor<4xi1>, %x: tensor<4xf32>) {
  %0 = hbir.logical_and %p, %x : (tensor<4xi1>, tensor<4xf32>) -> tensor<4xi1>
  func.return
}

// -----

// CHECK: error: hbir.where ({{.*}}): condition must hold i1 or f32, got si8
func.func @f(%c: tensor<4xsi8>, %x: tensor<4xf32>) {
  %0 = hbir.where %c, %x, %x : (tensor<4xsi8>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return
}

// -----

// CHECK: error: hbir.where ({{.*}}): lhs and rhs must hold one element type, they hold f32 and si8
func.func @f(%p: tensor<4xi1>, %x: tensor<4xf32>, %y: tensor<4xsi8>) {
  %0 = hbir.where %p, %x, %y : (tensor<4xi1>, tensor<4xf32>, tensor<4xsi8>) -> tensor<4xf32>
  func.return
}

// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// What shape inference refuses, and what it says.

// CHECK: error: hbir.reduce_mean ({{.*}}): dims must be in -4..3 for rank 4, got 4
func.func @f(%x: tensor<1x4x5x3xf32>) {
  %0 = hbir.reduce_mean %x {dims = [4]} : (tensor<1x4x5x3xf32>) -> tensor<1x4x5x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.reduce_mean ({{.*}}): dims must name each dimension once, got [1, -3]
func.func @f(%x: tensor<1x4x5x3xf32>) {
  %0 = hbir.reduce_mean %x {dims = [1, -3]} : (tensor<1x4x5x3xf32>) -> tensor<1x1x5x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.reduce_mean ({{.*}}): dims must name at least one dimension
func.func @f(%x: tensor<1x4x5x3xf32>) {
  %0 = hbir.reduce_mean %x {dims = []} : (tensor<1x4x5x3xf32>) -> tensor<1x4x5x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.reduce_max ({{.*}}): dims [0] of x of shape [0, 3] have no elements to reduce
func.func @f(%x: tensor<0x3xf32>) {
  %0 = hbir.reduce_max %x {dims = [0]} : (tensor<0x3xf32>) -> tensor<1x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.cumsum ({{.*}}): axis must be in -2..1 for rank 2, got 2
func.func @f(%x: tensor<2x3xf32>) {
  %0 = hbir.cumsum %x {axis = 2} : tensor<2x3xf32>
  func.return
}

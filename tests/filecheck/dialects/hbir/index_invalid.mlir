// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// CHECK: error: hbir.index ({{.*}}): index must hold signed integers, got f32
func.func @f(%x: tensor<9x4xf32>, %i: tensor<2xf32>) {
  %0 = hbir.index %x, %i : (tensor<9x4xf32>, tensor<2xf32>) -> tensor<2x4xf32>
  func.return
}

// -----

// CHECK: error: hbir.gather_elements ({{.*}}): index of shape [10, 4] must have the rank of x of shape [9, 4], and no greater extents but in dimension 1
func.func @f(%x: tensor<9x4xf32>, %i: tensor<10x4xsi64>) {
  %0 = hbir.gather_elements %x, %i {dim = 1} : (tensor<9x4xf32>, tensor<10x4xsi64>) -> tensor<10x4xf32>
  func.return
}

// -----

// CHECK: error: hbir.gather_nd ({{.*}}): the last extent of index of shape [3, 3] must be in 1..2, the axes of x of shape [9, 4] that it can index
func.func @f(%x: tensor<9x4xf32>, %i: tensor<3x3xsi64>) {
  %0 = hbir.gather_nd %x, %i : (tensor<9x4xf32>, tensor<3x3xsi64>) -> tensor<3xf32>
  func.return
}

// -----

// CHECK: error: hbir.gather_nd ({{.*}}): x of shape [2, 4] and index of shape [3, 1] must share their first 1 extents and have more
func.func @f(%x: tensor<2x4xf32>, %i: tensor<3x1xsi64>) {
  %0 = hbir.gather_nd %x, %i {batchDim = 1} : (tensor<2x4xf32>, tensor<3x1xsi64>) -> tensor<3xf32>
  func.return
}

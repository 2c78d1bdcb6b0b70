// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// What shape inference refuses, and what it says.

// CHECK: error: hbir.max_pool ({{.*}}): kernel must have 2 entries, got [3]
func.func @f(%x: tensor<1x9x9x3xf32>) {
  %0 = hbir.max_pool %x {kernel = [3]} : (tensor<1x9x9x3xf32>) -> tensor<1x7x7x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.max_pool ({{.*}}): property 'kernel' expected in operation 'hbir.max_pool'
func.func @f(%x: tensor<1x9x9x3xf32>) {
  %0 = hbir.max_pool %x : (tensor<1x9x9x3xf32>) -> tensor<1x7x7x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.avg_pool ({{.*}}): pad must be less than the window's extent [2, 2], got [2, 0, 0, 0]
func.func @f(%x: tensor<1x9x9x3xf32>) {
  %0 = hbir.avg_pool %x {kernel = [2, 2], pad = [2, 0, 0, 0]} : (tensor<1x9x9x3xf32>) -> tensor<1x10x8x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.avg_pool ({{.*}}): a 3x3 window with dilation [1, 1] does not fit into x of shape [1, 2, 9, 3] with pad [0, 0, 0, 0]
func.func @f(%x: tensor<1x2x9x3xf32>) {
  %0 = hbir.avg_pool %x {kernel = [3, 3]} : (tensor<1x2x9x3xf32>) -> tensor<1x1x7x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.max_pool ({{.*}}): x must be (N, H, W, C) (rank 4), got shape [9, 9, 3]
func.func @f(%x: tensor<9x9x3xf32>) {
  %0 = hbir.max_pool %x {kernel = [3, 3]} : (tensor<9x9x3xf32>) -> tensor<7x7x3xf32>
  func.return
}

// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// CHECK: error: hbir.scatter_nd ({{.*}}): updates must be of shape [5, 4] for x of shape [9, 4] and index of shape [5, 1], got [5, 3]
func.func @f(%x: tensor<9x4xf32>, %i: tensor<5x1xsi64>, %u: tensor<5x3xf32>) {
  %0 = hbir.scatter_nd %x, %i, %u : (tensor<9x4xf32>, tensor<5x1xsi64>, tensor<5x3xf32>) -> tensor<9x4xf32>
  func.return
}

// -----

// CHECK: error: hbir.scatter_elements ({{.*}}): scatterReduceMode must be one of "none", "add", "mul", "max", "min", got "mean"
func.func @f(%x: tensor<9x4xf32>, %i: tensor<5x1xsi64>, %u: tensor<5x1xf32>) {
  %0 = hbir.scatter_elements %x, %i, %u {scatterReduceMode = "mean"} : (tensor<9x4xf32>, tensor<5x1xsi64>, tensor<5x1xf32>) -> tensor<9x4xf32>
  func.return
}

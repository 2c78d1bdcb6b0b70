// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// CHECK: error: hbir.grid_sample ({{.*}}): grid must be (2, OH, OW, 2) for x of shape [2, 6, 5, 3], got [1, 4, 7, 2]
func.func @f(%x: tensor<2x6x5x3xf32>, %g: tensor<1x4x7x2xf32>) {
  %0 = hbir.grid_sample %x, %g : (tensor<2x6x5x3xf32>, tensor<1x4x7x2xf32>) -> tensor<2x4x7x3xf32>
  func.return
}

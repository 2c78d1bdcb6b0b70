// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Reductions over whole axes.

// CHECK-LABEL: func.func @reduce_mean
// CHECK:         hbir.reduce_mean %{{.*}} {dims = [1, 2]} : (tensor<1x4x5x3xf32>) -> tensor<1x1x1x3xf32>
// CHECK:         hbir.reduce_mean %{{.*}} {dims = [-1, 1], keepDim = false} : (tensor<1x4x5x3xf32>) -> tensor<1x5xf32>
// GENERIC-LABEL: sym_name = "reduce_mean"
// GENERIC:       "hbir.reduce_mean"(%x) <{dims = [1, 2], keepDim = true}>
func.func @reduce_mean(%x: tensor<1x4x5x3xf32>) -> tensor<1x5xf32> {
  %0 = hbir.reduce_mean %x {dims = [1, 2]} : (tensor<1x4x5x3xf32>) -> tensor<1x1x1x3xf32>
  %1 = hbir.reduce_mean %x {dims = [-1, 1], keepDim = false} : (tensor<1x4x5x3xf32>) -> tensor<1x5xf32>
  func.return %1 : tensor<1x5xf32>
}

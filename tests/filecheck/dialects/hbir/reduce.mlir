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

// CHECK-LABEL: func.func @others
// CHECK:         hbir.reduce_sum %x {dims = [1]} : (tensor<2x3xf32>) -> tensor<2x1xf32>
// CHECK:         hbir.reduce_max %x {dims = [0, 1], keepDim = false} : (tensor<2x3xf32>) -> tensor<f32>
// CHECK:         hbir.reduce_min %x {dims = [-1]} : (tensor<2x3xf32>) -> tensor<2x1xf32>
// CHECK:         hbir.cumsum %x {axis = 1 : i64} : tensor<2x3xf32>
// CHECK:         hbir.cumsum %x {axis = -1 : i64, exclusive = true, reverse = true} : tensor<2x3xf32>
func.func @others(%x: tensor<2x3xf32>) {
  %0 = hbir.reduce_sum %x {dims = [1]} : (tensor<2x3xf32>) -> tensor<2x1xf32>
  %1 = hbir.reduce_max %x {dims = [0, 1], keepDim = false} : (tensor<2x3xf32>) -> tensor<f32>
  %2 = hbir.reduce_min %x {dims = [-1]} : (tensor<2x3xf32>) -> tensor<2x1xf32>
  %3 = hbir.cumsum %x {axis = 1} : tensor<2x3xf32>
  %4 = hbir.cumsum %x {axis = -1, exclusive = true, reverse = true} : tensor<2x3xf32>
  func.return
}

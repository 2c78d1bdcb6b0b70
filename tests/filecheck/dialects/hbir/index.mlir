// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Elements chosen by indices that are data; x may hold anything.

// CHECK-LABEL: func.func @index
// CHECK:         hbir.index %{{.*}}, %{{.*}} : (tensor<9x4xf32>, tensor<2x3xsi64>) -> tensor<2x3x4xf32>
// CHECK:         hbir.index %{{.*}}, %{{.*}} {dim = 1 : i64} : (tensor<9x4xf32>, tensor<si32>) -> tensor<9xf32>
// CHECK:         hbir.gather_elements %{{.*}}, %{{.*}} {dim = 1 : i64} : (tensor<9x4xf32>, tensor<2x7xsi64>) -> tensor<2x7xf32>
// CHECK:         hbir.gather_nd %{{.*}}, %{{.*}} {batchDim = 1 : i64} : (tensor<2x4x5xsi8>, tensor<2x3x1xsi64>) -> tensor<2x3x5xsi8>
// GENERIC-LABEL: sym_name = "index"
// GENERIC:       "hbir.index"(%x, %i) <{dim = 0 : i64}>
func.func @index(%x: tensor<9x4xf32>, %i: tensor<2x3xsi64>, %j: tensor<si32>, %k: tensor<2x7xsi64>, %y: tensor<2x4x5xsi8>, %l: tensor<2x3x1xsi64>) {
  %0 = hbir.index %x, %i : (tensor<9x4xf32>, tensor<2x3xsi64>) -> tensor<2x3x4xf32>
  %1 = hbir.index %x, %j {dim = 1} : (tensor<9x4xf32>, tensor<si32>) -> tensor<9xf32>
  %2 = hbir.gather_elements %x, %k {dim = 1} : (tensor<9x4xf32>, tensor<2x7xsi64>) -> tensor<2x7xf32>
  %3 = hbir.gather_nd %y, %l {batchDim = 1} : (tensor<2x4x5xsi8>, tensor<2x3x1xsi64>) -> tensor<2x3x5xsi8>
  func.return
}

// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Elements put in places that indices say.

// CHECK-LABEL: func.func @scatter
// CHECK:         hbir.scatter_elements %{{.*}}, %{{.*}}, %{{.*}} {dim = 1 : i64} : (tensor<9x4xf32>, tensor<2x3xsi64>, tensor<2x3xf32>) -> tensor<9x4xf32>
// CHECK:         hbir.scatter_nd %{{.*}}, %{{.*}}, %{{.*}} {scatterReduceMode = "add"} : (tensor<9x4xf32>, tensor<5x1xsi64>, tensor<5x4xf32>) -> tensor<9x4xf32>
// GENERIC-LABEL: sym_name = "scatter"
// GENERIC:       "hbir.scatter_elements"(%x, %i, %u) <{dim = 1 : i64, scatterReduceMode = "none"}>
func.func @scatter(%x: tensor<9x4xf32>, %i: tensor<2x3xsi64>, %u: tensor<2x3xf32>, %j: tensor<5x1xsi64>, %v: tensor<5x4xf32>) {
  %0 = hbir.scatter_elements %x, %i, %u {dim = 1} : (tensor<9x4xf32>, tensor<2x3xsi64>, tensor<2x3xf32>) -> tensor<9x4xf32>
  %1 = hbir.scatter_nd %x, %j, %v {scatterReduceMode = "add"} : (tensor<9x4xf32>, tensor<5x1xsi64>, tensor<5x4xf32>) -> tensor<9x4xf32>
  func.return
}

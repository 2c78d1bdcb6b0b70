// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// The order of elements: the indices of the best ones.

// CHECK-LABEL: func.func @topk
// CHECK:         hbir.topk %{{.*}} {k = 5 : i64} : (tensor<2x100xf32>) -> tensor<2x5xsi64>
// CHECK:         hbir.topk %{{.*}} {dim = 0 : i64, k = 2 : i64, largest = false} : (tensor<2x100xf32>) -> tensor<2x100xsi64>
// GENERIC-LABEL: sym_name = "topk"
// GENERIC:       "hbir.topk"(%x) <{k = 5 : i64, dim = -1 : i64, largest = true}>
func.func @topk(%x: tensor<2x100xf32>) {
  %0 = hbir.topk %x {k = 5} : (tensor<2x100xf32>) -> tensor<2x5xsi64>
  %1 = hbir.topk %x {dim = 0, k = 2, largest = false} : (tensor<2x100xf32>) -> tensor<2x100xsi64>
  func.return
}

// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s

// The indices of the best integers.

// CHECK-LABEL: func.func @topk
// CHECK:         bpu.topk %{{.*}} {k = 5 : i64} : (tensor<2x100xsi8>) -> tensor<2x5xsi64>
// CHECK:         bpu.topk %{{.*}} {dim = 0 : i64, k = 1 : i64, largest = false} : (tensor<2x100xsi16>) -> tensor<1x100xsi64>
func.func @topk(%x: tensor<2x100xsi8>, %y: tensor<2x100xsi16>) {
  %0 = bpu.topk %x {k = 5} : (tensor<2x100xsi8>) -> tensor<2x5xsi64>
  %1 = bpu.topk %y {dim = 0, k = 1, largest = false} : (tensor<2x100xsi16>) -> tensor<1x100xsi64>
  func.return
}

// -----

// CHECK: error: bpu.topk ({{.*}}): result has element type si32, expected si64
func.func @f(%x: tensor<2x100xsi8>) {
  %0 = bpu.topk %x {k = 5} : (tensor<2x100xsi8>) -> tensor<2x5xsi32>
  func.return
}

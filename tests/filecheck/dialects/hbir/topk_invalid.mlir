// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// CHECK: error: hbir.topk ({{.*}}): k must be in 1..100 for dim 1, got 101
func.func @f(%x: tensor<2x100xf32>) {
  %0 = hbir.topk %x {k = 101} : (tensor<2x100xf32>) -> tensor<2x101xsi64>
  func.return
}

// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// CHECK: error: hbir.reduce_argmax ({{.*}}): dims must name one dimension, got [1, 2]
func.func @f(%x: tensor<1x4x5xf32>) {
  %0 = hbir.reduce_argmax %x {dims = [1, 2]} : (tensor<1x4x5xf32>) -> tensor<1x1x1xsi64>
  func.return
}

// -----

// CHECK: error: hbir.reduce_argmin ({{.*}}): result has element type si32, expected si64
func.func @f(%x: tensor<1x4x5xf32>) {
  %0 = hbir.reduce_argmin %x {dims = [1]} : (tensor<1x4x5xf32>) -> tensor<1x1x5xsi32>
  func.return
}

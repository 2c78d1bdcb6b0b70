// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Where the greatest and the least elements are. Indices are si64, as in ONNX.

// CHECK-LABEL: func.func @argmax
// CHECK:         hbir.reduce_argmax %{{.*}} {dims = [3]} : (tensor<1x4x5x3xf32>) -> tensor<1x4x5x1xsi64>
// CHECK:         hbir.reduce_argmin %{{.*}} {dims = [-1], keepDim = false} : (tensor<1x4x5x3xf32>) -> tensor<1x4x5xsi64>
// GENERIC-LABEL: sym_name = "argmax"
// GENERIC:       "hbir.reduce_argmax"(%x) <{dims = [3], keepDim = true}>
func.func @argmax(%x: tensor<1x4x5x3xf32>) -> tensor<1x4x5xsi64> {
  %0 = hbir.reduce_argmax %x {dims = [3]} : (tensor<1x4x5x3xf32>) -> tensor<1x4x5x1xsi64>
  %1 = hbir.reduce_argmin %x {dims = [-1], keepDim = false} : (tensor<1x4x5x3xf32>) -> tensor<1x4x5xsi64>
  func.return %1 : tensor<1x4x5xsi64>
}

// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s
// RUN: hbir-opt %s --split-input-file --verify-diagnostics --print-op-generic | filecheck %s --check-prefix=GENERIC

// Places of integers are si64, whatever the integers are.

// CHECK-LABEL: func.func @argmax
// CHECK:         bpu.reduce_argmax %{{.*}} {dims = [3], keepDim = false} : (tensor<1x4x5x3xsi8>) -> tensor<1x4x5xsi64>
// CHECK:         bpu.reduce_argmin %{{.*}} {dims = [1]} : (tensor<1x4x5x3xsi16>) -> tensor<1x1x5x3xsi64>
// GENERIC:       "bpu.reduce_argmax"(%x) <{dims = [3], keepDim = false}>
func.func @argmax(%x: tensor<1x4x5x3xsi8>, %y: tensor<1x4x5x3xsi16>) {
  %0 = bpu.reduce_argmax %x {dims = [3], keepDim = false} : (tensor<1x4x5x3xsi8>) -> tensor<1x4x5xsi64>
  %1 = bpu.reduce_argmin %y {dims = [1]} : (tensor<1x4x5x3xsi16>) -> tensor<1x1x5x3xsi64>
  func.return
}

// -----

// CHECK: error: bpu.reduce_argmax ({{.*}}): x must hold si8 or si16, got f32
func.func @f(%x: tensor<4x5xf32>) {
  %0 = bpu.reduce_argmax %x {dims = [0]} : (tensor<4x5xf32>) -> tensor<1x5xsi64>
  func.return
}

// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s

// Integers moved from where indices of any width say.

// CHECK-LABEL: func.func @index
// CHECK:         bpu.index %{{.*}}, %{{.*}} {dim = 1 : i64} : (tensor<9x4xsi8>, tensor<2x3xsi64>) -> tensor<9x2x3xsi8>
// CHECK:         bpu.index %{{.*}}, %{{.*}} : (tensor<9x4xsi16>, tensor<si8>) -> tensor<4xsi16>
// CHECK:         bpu.gather_elements %{{.*}}, %{{.*}} {dim = 1 : i64} : (tensor<9x4xsi8>, tensor<2x3xsi64>) -> tensor<2x3xsi8>
func.func @index(%x: tensor<9x4xsi8>, %i: tensor<2x3xsi64>, %y: tensor<9x4xsi16>, %j: tensor<si8>) {
  %0 = bpu.index %x, %i {dim = 1} : (tensor<9x4xsi8>, tensor<2x3xsi64>) -> tensor<9x2x3xsi8>
  %1 = bpu.index %y, %j : (tensor<9x4xsi16>, tensor<si8>) -> tensor<4xsi16>
  %2 = bpu.gather_elements %x, %i {dim = 1} : (tensor<9x4xsi8>, tensor<2x3xsi64>) -> tensor<2x3xsi8>
  func.return
}

// -----

// CHECK: error: bpu.index ({{.*}}): result has element type f32, allowed are si8, si16
func.func @f(%x: tensor<9xf32>, %i: tensor<2xsi64>) {
  %0 = bpu.index %x, %i : (tensor<9xf32>, tensor<2xsi64>) -> tensor<2xf32>
  func.return
}

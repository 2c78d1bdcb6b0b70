// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// What shape inference refuses, and what it says.

// CHECK: error: hbir.sqrt ({{.*}}): x must hold f32, got si8
func.func @f(%x: tensor<4xsi8>) {
  %0 = hbir.sqrt %x : tensor<4xsi8>
  func.return
}

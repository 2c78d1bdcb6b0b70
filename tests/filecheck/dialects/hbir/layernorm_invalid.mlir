// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// What shape inference refuses, and what it says.

// CHECK: error: hbir.layernorm ({{.*}}): weight must be [4, 3] for x of shape [2, 4, 3], got [3]
func.func @f(%x: tensor<2x4x3xf32>, %c: tensor<3xf32>) {
  %0 = hbir.layernorm %x, %c {dims = [1, 2]} : (tensor<2x4x3xf32>, tensor<3xf32>) -> tensor<2x4x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.rms_norm ({{.*}}): x may be followed by weight, got 2 operands after it
func.func @f(%x: tensor<2x4x3xf32>, %c: tensor<3xf32>) {
  %0 = hbir.rms_norm %x, %c, %c : (tensor<2x4x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x4x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.groupnorm ({{.*}}): groupNum must divide the 3 channels of x, got 2
func.func @f(%x: tensor<2x4x3xf32>) {
  %0 = hbir.groupnorm %x {groupNum = 2} : (tensor<2x4x3xf32>) -> tensor<2x4x3xf32>
  func.return
}

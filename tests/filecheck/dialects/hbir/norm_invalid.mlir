// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// What shape inference refuses, and what it says.

// CHECK: error: hbir.batchnorm ({{.*}}): var must be (3,) for x of shape [1, 4, 4, 3], got [4]
func.func @f(%x: tensor<1x4x4x3xf32>, %c: tensor<3xf32>, %d: tensor<4xf32>) {
  %0 = hbir.batchnorm %x, %c, %d, %c, %c : (tensor<1x4x4x3xf32>, tensor<3xf32>, tensor<4xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x4x4x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.softmax ({{.*}}): dim must be in -2..1 for rank 2, got 2
func.func @f(%x: tensor<2x7xf32>) {
  %0 = hbir.softmax %x {dim = 2} : tensor<2x7xf32>
  func.return
}

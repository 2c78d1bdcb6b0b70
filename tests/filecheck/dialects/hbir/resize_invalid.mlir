// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// What shape inference refuses, and what it says.

// CHECK: error: hbir.resize2d ({{.*}}): mode must be one of "nearest", "bilinear", got "cubic"
func.func @f(%x: tensor<1x4x5x3xf32>) {
  %0 = hbir.resize2d %x {size = [8, 10], step = [0.5, 0.5], mode = "cubic"} : (tensor<1x4x5x3xf32>) -> tensor<1x8x10x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.resize2d ({{.*}}): step must have 2 entries, got [0.5]
func.func @f(%x: tensor<1x4x5x3xf32>) {
  %0 = hbir.resize2d %x {size = [8, 10], step = [0.5]} : (tensor<1x4x5x3xf32>) -> tensor<1x8x10x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.resize2d ({{.*}}): size must be at least 1, got [0, 10]
func.func @f(%x: tensor<1x4x5x3xf32>) {
  %0 = hbir.resize2d %x {size = [0, 10], step = [0.5, 0.5]} : (tensor<1x4x5x3xf32>) -> tensor<1x0x10x3xf32>
  func.return
}

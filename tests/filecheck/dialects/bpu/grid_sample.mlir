// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s

// An image sampled where an integer grid says.

// CHECK-LABEL: func.func @grid_sample
// CHECK:         bpu.grid_sample %{{.*}}, %{{.*}} {expansionMode = "border", initialOffset = [0, 0], mode = "nearest", step = [123456, 654321]} : (tensor<2x6x5x3xsi8>, tensor<2x4x7x2xsi16>) -> tensor<2x4x7x3xsi8>
func.func @grid_sample(%x: tensor<2x6x5x3xsi8>, %g: tensor<2x4x7x2xsi16>) {
  %0 = bpu.grid_sample %x, %g {expansionMode = "border", initialOffset = [0, 0], mode = "nearest", step = [123456, 654321]} : (tensor<2x6x5x3xsi8>, tensor<2x4x7x2xsi16>) -> tensor<2x4x7x3xsi8>
  func.return
}

// -----

// CHECK: error: bpu.grid_sample ({{.*}}): positions must stay below 2^62; step 70368744177664 and initialOffset 0 exceed it
func.func @f(%x: tensor<2x6x5x3xsi8>, %g: tensor<2x4x7x2xsi16>) {
  %0 = bpu.grid_sample %x, %g {initialOffset = [0, 0], step = [70368744177664, 1]} : (tensor<2x6x5x3xsi8>, tensor<2x4x7x2xsi16>) -> tensor<2x4x7x3xsi8>
  func.return
}

// -----

// CHECK: error: bpu.grid_sample ({{.*}}): padValue must be in -128..127, got 128
func.func @f(%x: tensor<2x6x5x3xsi8>, %g: tensor<2x4x7x2xsi16>) {
  %0 = bpu.grid_sample %x, %g {initialOffset = [0, 0], padValue = 128, step = [1, 1]} : (tensor<2x6x5x3xsi8>, tensor<2x4x7x2xsi16>) -> tensor<2x4x7x3xsi8>
  func.return
}

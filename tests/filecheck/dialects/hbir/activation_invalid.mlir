// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// What shape inference refuses, and what it says.

// CHECK: error: hbir.clip ({{.*}}): min must not exceed max, got 6.0 and 0.0
func.func @f(%x: tensor<1x4x5x3xf32>) {
  %0 = hbir.clip %x {min = 6.0, max = 0.0} : tensor<1x4x5x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.clip ({{.*}}): property 'max' expected in operation 'hbir.clip'
func.func @f(%x: tensor<1x4x5x3xf32>) {
  %0 = hbir.clip %x {min = 6.0} : tensor<1x4x5x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.relu ({{.*}}): x must hold f32, got si8
func.func @f(%x: tensor<4xsi8>) {
  %0 = hbir.relu %x : tensor<4xsi8>
  func.return
}

// -----

// CHECK: error: hbir.prelu ({{.*}}): slope of shape [2, 4, 3] does not broadcast to x of shape [4, 3]
func.func @f(%x: tensor<4x3xf32>, %s: tensor<2x4x3xf32>) {
  %0 = hbir.prelu %x, %s : (tensor<4x3xf32>, tensor<2x4x3xf32>) -> tensor<2x4x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.exp ({{.*}}): result 'result' at position 0 does not verify:
func.func @f(%x: tensor<4xf32>) {
  %0 = "hbir.exp"(%x) : (tensor<4xf32>) -> tensor<5xf32>
  func.return
}

// -----

// CHECK: error: hbir.gelu ({{.*}}): approximate must be one of "none", "tanh", got "erf"
func.func @f(%x: tensor<4xf32>) {
  %0 = hbir.gelu %x {approximate = "erf"} : tensor<4xf32>
  func.return
}

// -----

// CHECK: error: hbir.softplus ({{.*}}): beta must be positive, got 0.0
func.func @f(%x: tensor<4xf32>) {
  %0 = hbir.softplus %x {beta = 0.0} : tensor<4xf32>
  func.return
}

// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// What shape inference refuses, and what it says.

// CHECK: error: hbir.concat ({{.*}}): operand 1 of shape [1, 2, 4] does not fit operand 0 of shape [1, 4, 3]: they may differ in dimension 1 only
func.func @f(%x: tensor<1x4x3xf32>, %y: tensor<1x2x4xf32>) {
  %0 = hbir.concat %x, %y {dim = 1} : (tensor<1x4x3xf32>, tensor<1x2x4xf32>) -> tensor<1x6x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.concat ({{.*}}): operands must hold one element type, operand 0 holds f32 and operand 1 si8
func.func @f(%x: tensor<4x3xf32>, %y: tensor<4x3xsi8>) {
  %0 = hbir.concat %x, %y {dim = 0} : (tensor<4x3xf32>, tensor<4x3xsi8>) -> tensor<8x3xf32>
  func.return
}

// -----

// CHECK: error: hbir.slice ({{.*}}): slice 1:5 of dimension 0 must lie in 0:4 and not be empty
func.func @f(%x: tensor<4x9xf32>) {
  %0 = hbir.slice %x {begin = [1, 0], end = [5, 9]} : (tensor<4x9xf32>) -> tensor<4x9xf32>
  func.return
}

// -----

// CHECK: error: hbir.slice ({{.*}}): step must be at least 1, got [-1, 1]
func.func @f(%x: tensor<4x9xf32>) {
  %0 = hbir.slice %x {begin = [3, 0], end = [0, 9], step = [-1, 1]} : (tensor<4x9xf32>) -> tensor<4x9xf32>
  func.return
}

// -----

// CHECK: error: hbir.reshape ({{.*}}): x of shape [4, 9] has 36 elements, shape [4, 8] has 32
func.func @f(%x: tensor<4x9xf32>) {
  %0 = hbir.reshape %x {shape = [4, 8]} : (tensor<4x9xf32>) -> tensor<4x8xf32>
  func.return
}

// -----

// CHECK: error: hbir.reshape ({{.*}}): shape must be given, got [-1, 9]
func.func @f(%x: tensor<4x9xf32>) {
  %0 = hbir.reshape %x {shape = [-1, 9]} : (tensor<4x9xf32>) -> tensor<4x9xf32>
  func.return
}

// -----

// CHECK: error: hbir.transpose ({{.*}}): dims must be a permutation of [0, 1], got [1, 1]
func.func @f(%x: tensor<4x9xf32>) {
  %0 = hbir.transpose %x {dims = [1, 1]} : (tensor<4x9xf32>) -> tensor<9x9xf32>
  func.return
}

// -----

// CHECK: error: hbir.pad ({{.*}}): begin must be at least 0, got [0, -1]
func.func @f(%x: tensor<4x9xf32>) {
  %0 = hbir.pad %x {begin = [0, -1], end = [0, 0]} : (tensor<4x9xf32>) -> tensor<4x8xf32>
  func.return
}

// -----

// CHECK: error: hbir.tile ({{.*}}): multiplies must be at least 1, got [0, 1]
func.func @f(%x: tensor<2x3xf32>) {
  %0 = hbir.tile %x {multiplies = [0, 1]} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  func.return
}

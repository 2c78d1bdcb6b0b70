// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s
// RUN: hbir-opt %s --split-input-file --no-verify --print-op-generic | hbir-opt - --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: func.func @moves
// CHECK: bpu.concat %x, %y {dim = 3 : i64} : (tensor<1x4x4x8xsi8>, tensor<1x4x4x2xsi8>) -> tensor<1x4x4x10xsi8>
// CHECK: bpu.slice %x {begin = [0, 1, 0, 0], end = [1, 4, 4, 8], step = [1, 2, 1, 1]} : (tensor<1x4x4x8xsi8>) -> tensor<1x2x4x8xsi8>
// CHECK: bpu.reshape %x {shape = [1, 128]} : (tensor<1x4x4x8xsi8>) -> tensor<1x128xsi8>
// CHECK: bpu.transpose %x {dims = [0, 3, 1, 2]} : (tensor<1x4x4x8xsi8>) -> tensor<1x8x4x4xsi8>
// CHECK: bpu.pad %x {begin = [0, 1, 0, 0], end = [0, 2, 0, 0], padValue = -5 : i64} : (tensor<1x4x4x8xsi8>) -> tensor<1x7x4x8xsi8>
func.func @moves(%x: tensor<1x4x4x8xsi8>, %y: tensor<1x4x4x2xsi8>) {
  %a = bpu.concat %x, %y {dim = 3} : (tensor<1x4x4x8xsi8>, tensor<1x4x4x2xsi8>) -> tensor<1x4x4x10xsi8>
  %b = bpu.slice %x {begin = [0, 1, 0, 0], end = [1, 4, 4, 8], step = [1, 2, 1, 1]} : (tensor<1x4x4x8xsi8>) -> tensor<1x2x4x8xsi8>
  %c = bpu.reshape %x {shape = [1, 128]} : (tensor<1x4x4x8xsi8>) -> tensor<1x128xsi8>
  %d = bpu.transpose %x {dims = [0, 3, 1, 2]} : (tensor<1x4x4x8xsi8>) -> tensor<1x8x4x4xsi8>
  %e = bpu.pad %x {begin = [0, 1, 0, 0], end = [0, 2, 0, 0], padValue = -5} : (tensor<1x4x4x8xsi8>) -> tensor<1x7x4x8xsi8>
  func.return
}

// -----

// CHECK: operand 1 of shape {{.*}} does not fit operand 0 of shape {{.*}}: they may differ in dimension 3 only
func.func @concat(%x: tensor<1x4x4x8xsi8>, %y: tensor<1x4x3x2xsi8>) {
  %a = bpu.concat %x, %y {dim = 3} : (tensor<1x4x4x8xsi8>, tensor<1x4x3x2xsi8>) -> tensor<1x4x4x10xsi8>
  func.return
}

// -----

// CHECK: slice 4:4 of dimension 1 must lie in 0:4 and not be empty
func.func @slice(%x: tensor<1x4xsi8>) {
  %a = bpu.slice %x {begin = [0, 4], end = [1, 4], step = [1, 1]} : (tensor<1x4xsi8>) -> tensor<1x1xsi8>
  func.return
}

// -----

// CHECK: x of shape [1, 4] has 4 elements, shape [3] has 3
func.func @reshape(%x: tensor<1x4xsi8>) {
  %a = bpu.reshape %x {shape = [3]} : (tensor<1x4xsi8>) -> tensor<3xsi8>
  func.return
}

// -----

// CHECK: dims must be a permutation of [0, 1], got [0, 0]
func.func @transpose(%x: tensor<1x4xsi8>) {
  %a = bpu.transpose %x {dims = [0, 0]} : (tensor<1x4xsi8>) -> tensor<1x1xsi8>
  func.return
}

// -----

// CHECK: padValue must be in -128..127, got 128
func.func @pad(%x: tensor<1x4xsi8>) {
  %a = bpu.pad %x {begin = [0, 0], end = [0, 1], padValue = 128} : (tensor<1x4xsi8>) -> tensor<1x5xsi8>
  func.return
}

// -----

// CHECK-LABEL: func.func @tile
// CHECK: bpu.tile %x {multiplies = [3, 2]} : (tensor<1x4xsi16>) -> tensor<3x8xsi16>
func.func @tile(%x: tensor<1x4xsi16>) {
  %a = bpu.tile %x {multiplies = [3, 2]} : (tensor<1x4xsi16>) -> tensor<3x8xsi16>
  func.return
}

// -----

// CHECK: multiplies must have 2 entries, got [3]
func.func @tile_rank(%x: tensor<1x4xsi16>) {
  %a = bpu.tile %x {multiplies = [3]} : (tensor<1x4xsi16>) -> tensor<3x4xsi16>
  func.return
}

// -----

// CHECK: bpu.copy %x : (tensor<1x4xsi8>) -> tensor<1x4xsi8>
func.func @copy(%x: tensor<1x4xsi8>) {
  %a = bpu.copy %x : (tensor<1x4xsi8>) -> tensor<1x4xsi8>
  func.return
}

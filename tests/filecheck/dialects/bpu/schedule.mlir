// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s
// RUN: hbir-opt %s --split-input-file --verify-diagnostics --print-op-generic | filecheck %s --check-prefix GENERIC

// CHECK-LABEL: func.func @attributes
// GENERIC: "bpu.lut"(%x, %t) {schedule = #bpu.schedule<group 0, tile [1, 4, 4, 8], order [0, 3, 1, 2], buffers 2>, alloc = #bpu.alloc<workspace, offset 4096, bytes 128>}
// CHECK: bpu.lut %x, %t {schedule = #bpu.schedule<group 0, tile [1, 4, 4, 8], order [0, 3, 1, 2], buffers 2>, alloc = #bpu.alloc<workspace, offset 4096, bytes 128>}
func.func @attributes(%x: tensor<1x4x4x8xsi8>, %t: tensor<256xsi8>) -> tensor<1x4x4x8xsi8> {
  %y = bpu.lut %x, %t {schedule = #bpu.schedule<group 0, tile [1, 4, 4, 8], order [0, 3, 1, 2], buffers 2>, alloc = #bpu.alloc<workspace, offset 4096, bytes 128>} : (tensor<1x4x4x8xsi8>, tensor<256xsi8>) -> tensor<1x4x4x8xsi8>
  func.return %y : tensor<1x4x4x8xsi8>
}

// -----

// CHECK: order must name each of the 2 axes of tile once, got [0, 0]
func.func @order() attributes {s = #bpu.schedule<group 0, tile [1, 4], order [0, 0], buffers 2>} {
  func.return
}

// -----

// CHECK: tile must have extents of at least 1, got [1, 0]
func.func @tile() attributes {s = #bpu.schedule<group 0, tile [1, 0], order [0, 1], buffers 2>} {
  func.return
}

// -----

// CHECK: group and lead must be at least 0 and buffers at least 1, got 0, 0 and 0
func.func @buffers() attributes {s = #bpu.schedule<group 0, tile [1], order [0], buffers 0>} {
  func.return
}

// -----

// CHECK: Expected `l1`, `l2`, `constant`, `workspace`, `input`, or `output`
func.func @space() attributes {a = #bpu.alloc<moon, offset 0, bytes 1>} {
  func.return
}

// -----

// CHECK: offset and rows must be at least 0 and bytes at least 1, got -4, 0 and 1
func.func @offset() attributes {a = #bpu.alloc<l1, offset -4, bytes 1>} {
  func.return
}

// -----

// What is left out is 0, or the strides of a tensor of its own.

// CHECK: s = #bpu.schedule<group 1, tile [1, 8], order [1, 0], buffers 2, lead 3>
// CHECK-SAME: t = #bpu.alloc<l1, offset 64, bytes 128, rows 24, strides [96, 16, 1]>
func.func @optional() attributes {s = #bpu.schedule<group 1, tile [1, 8], order [1, 0], buffers 2, lead 3>, t = #bpu.alloc<l1, offset 64, bytes 128, rows 24, strides [96, 16, 1]>} {
  func.return
}

// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s
// RUN: hbir-opt %s --split-input-file --no-verify --print-op-generic | hbir-opt - --split-input-file --verify-diagnostics | filecheck %s

// The table's element is the result's.
// CHECK-LABEL: func.func @lut
// CHECK: bpu.lut %x, %t : (tensor<1x4x4x8xsi8>, tensor<256xsi16>) -> tensor<1x4x4x8xsi16>
func.func @lut(%x: tensor<1x4x4x8xsi8>, %t: tensor<256xsi16>) -> tensor<1x4x4x8xsi16> {
  %y = bpu.lut %x, %t : (tensor<1x4x4x8xsi8>, tensor<256xsi16>) -> tensor<1x4x4x8xsi16>
  func.return %y : tensor<1x4x4x8xsi16>
}

// -----

// CHECK: table must have shape [256], got [255]
func.func @entries(%x: tensor<8xsi8>, %t: tensor<255xsi8>) {
  %y = bpu.lut %x, %t : (tensor<8xsi8>, tensor<255xsi8>) -> tensor<8xsi8>
  func.return
}

// -----

// An si16 x has segments of knots for a table, and the builder chooses the result's element.
// CHECK-LABEL: func.func @segments
// CHECK: bpu.lut %x, %t : (tensor<8xsi16>, tensor<12x67xsi32>) -> tensor<8xsi8>
func.func @segments(%x: tensor<8xsi16>, %t: tensor<12x67xsi32>) {
  %y = bpu.lut %x, %t : (tensor<8xsi16>, tensor<12x67xsi32>) -> tensor<8xsi8>
  func.return
}

// -----

// CHECK: table must hold si32, got si8
func.func @wide(%x: tensor<8xsi16>, %t: tensor<2x67xsi8>) {
  %y = bpu.lut %x, %t : (tensor<8xsi16>, tensor<2x67xsi8>) -> tensor<8xsi8>
  func.return
}

// -----

// CHECK: table must have shape [N, 67] with N in 1..64 for si16 x, got [65, 67]
func.func @too_many(%x: tensor<8xsi16>, %t: tensor<65x67xsi32>) {
  %y = bpu.lut %x, %t : (tensor<8xsi16>, tensor<65x67xsi32>) -> tensor<8xsi8>
  func.return
}

// -----

// CHECK: result has element type si8, expected si16
func.func @result(%x: tensor<8xsi8>, %t: tensor<256xsi16>) {
  %y = bpu.lut %x, %t : (tensor<8xsi8>, tensor<256xsi16>) -> tensor<8xsi8>
  func.return
}

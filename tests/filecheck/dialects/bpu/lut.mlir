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

// CHECK: x must hold si8, got si16
func.func @wide(%x: tensor<8xsi16>, %t: tensor<256xsi8>) {
  %y = bpu.lut %x, %t : (tensor<8xsi16>, tensor<256xsi8>) -> tensor<8xsi8>
  func.return
}

// -----

// CHECK: result has element type si8, expected si16
func.func @result(%x: tensor<8xsi8>, %t: tensor<256xsi16>) {
  %y = bpu.lut %x, %t : (tensor<8xsi8>, tensor<256xsi16>) -> tensor<8xsi8>
  func.return
}

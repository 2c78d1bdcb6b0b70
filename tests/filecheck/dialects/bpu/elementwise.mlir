// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s
// RUN: hbir-opt %s --split-input-file --no-verify --print-op-generic | hbir-opt - --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: func.func @all
// CHECK: %a = bpu.add %x, %y {multipliers = [16384, -20000], shift = 15 : i64, bias = 77 : i64, outputZeroPoint = 3 : i64, clip = [3, 60]} : (tensor<1x4x4x8xsi8>, tensor<8xsi8>) -> tensor<1x4x4x8xsi8>
// CHECK: %b = bpu.mul %x, %y {multiplier = 16384 : i64, shift = 20 : i64, zeroPoints = [1, 2]} : (tensor<1x4x4x8xsi8>, tensor<8xsi8>) -> tensor<1x4x4x8xsi16>
// CHECK: %c = bpu.max %x, %y : (tensor<1x4x4x8xsi8>, tensor<8xsi8>) -> tensor<1x4x4x8xsi8>
// CHECK: %d = bpu.min %x, %y : (tensor<1x4x4x8xsi8>, tensor<8xsi8>) -> tensor<1x4x4x8xsi8>
// CHECK: %e = bpu.prelu %x, %s {multiplier = 100 : i64, shift = 15 : i64} : (tensor<1x4x4x8xsi8>, tensor<8xsi32>) -> tensor<1x4x4x8xsi8>
func.func @all(%x: tensor<1x4x4x8xsi8>, %y: tensor<8xsi8>, %s: tensor<8xsi32>) {
  %a = bpu.add %x, %y {multipliers = [16384, -20000], shift = 15, bias = 77, outputZeroPoint = 3, clip = [3, 60]} : (tensor<1x4x4x8xsi8>, tensor<8xsi8>) -> tensor<1x4x4x8xsi8>
  %b = bpu.mul %x, %y {multiplier = 16384, shift = 20, zeroPoints = [1, 2]} : (tensor<1x4x4x8xsi8>, tensor<8xsi8>) -> tensor<1x4x4x8xsi16>
  %c = bpu.max %x, %y : (tensor<1x4x4x8xsi8>, tensor<8xsi8>) -> tensor<1x4x4x8xsi8>
  %d = bpu.min %x, %y : (tensor<1x4x4x8xsi8>, tensor<8xsi8>) -> tensor<1x4x4x8xsi8>
  %e = bpu.prelu %x, %s {multiplier = 100, shift = 15} : (tensor<1x4x4x8xsi8>, tensor<8xsi32>) -> tensor<1x4x4x8xsi8>
  func.return
}

// -----

// CHECK: shapes [1, 4, 4, 8] and [3] do not broadcast
func.func @broadcast(%x: tensor<1x4x4x8xsi8>, %y: tensor<3xsi8>) {
  %a = bpu.add %x, %y {multipliers = [16384, 16384], shift = 15} : (tensor<1x4x4x8xsi8>, tensor<3xsi8>) -> tensor<1x4x4x8xsi8>
  func.return
}

// -----

// CHECK: the larger of multipliers must be 0 or in 16384..32767, got [16000, -4]
func.func @normalised(%x: tensor<8xsi8>) {
  %a = bpu.add %x, %x {multipliers = [16000, -4], shift = 15} : (tensor<8xsi8>, tensor<8xsi8>) -> tensor<8xsi8>
  func.return
}

// -----

// CHECK: multiplier must be 0 or in 16384..32767, got 32768
func.func @multiplier(%x: tensor<8xsi8>) {
  %a = bpu.mul %x, %x {multiplier = 32768, shift = 15} : (tensor<8xsi8>, tensor<8xsi8>) -> tensor<8xsi8>
  func.return
}

// -----

// CHECK: shift must be in 2..62, got 1
func.func @shift(%x: tensor<8xsi8>) {
  %a = bpu.mul %x, %x {multiplier = 16384, shift = 1} : (tensor<8xsi8>, tensor<8xsi8>) -> tensor<8xsi8>
  func.return
}

// -----

// CHECK: zeroPoints must be in -128..127, got 200
func.func @zero_point(%x: tensor<8xsi8>) {
  %a = bpu.mul %x, %x {multiplier = 16384, shift = 15, zeroPoints = [0, 200]} : (tensor<8xsi8>, tensor<8xsi8>) -> tensor<8xsi8>
  func.return
}

// -----

// CHECK: outputZeroPoint must be in -128..127, got -129
func.func @output_zero_point(%x: tensor<8xsi8>) {
  %a = bpu.mul %x, %x {multiplier = 16384, shift = 15, outputZeroPoint = -129} : (tensor<8xsi8>, tensor<8xsi8>) -> tensor<8xsi8>
  func.return
}

// -----

// CHECK: operands must hold one element type, operand 0 holds si8 and operand 1 si16
func.func @elements(%x: tensor<8xsi8>, %y: tensor<8xsi16>) {
  %a = bpu.max %x, %y : (tensor<8xsi8>, tensor<8xsi16>) -> tensor<8xsi8>
  func.return
}

// -----

// CHECK: slope must have shape [8], got [4]
func.func @slope(%x: tensor<2x8xsi8>, %s: tensor<4xsi32>) {
  %a = bpu.prelu %x, %s {multiplier = 16384, shift = 15} : (tensor<2x8xsi8>, tensor<4xsi32>) -> tensor<2x8xsi8>
  func.return
}

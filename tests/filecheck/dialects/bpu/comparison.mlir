// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s
// RUN: hbir-opt %s --split-input-file --no-verify --print-op-generic | hbir-opt - --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: func.func @all
// CHECK: bpu.compare %x, %y {mode = "less", multipliers = [32767, 20000], zeroPoints = [1, -2], values = [-128, 127]} : (tensor<4x8xsi8>, tensor<8xsi16>) -> tensor<4x8xsi8>
// CHECK: bpu.compare %x, %x {mode = "equal", multipliers = [32767, 32767]} : (tensor<4x8xsi8>, tensor<4x8xsi8>) -> tensor<4x8xsi8>
// CHECK: bpu.where %x, %y, %y {conditionZeroPoint = -128 : i64} : (tensor<4x8xsi8>, tensor<8xsi16>, tensor<8xsi16>) -> tensor<4x8xsi16>
func.func @all(%x: tensor<4x8xsi8>, %y: tensor<8xsi16>) {
  %a = bpu.compare %x, %y {mode = "less", multipliers = [32767, 20000], zeroPoints = [1, -2], values = [-128, 127]} : (tensor<4x8xsi8>, tensor<8xsi16>) -> tensor<4x8xsi8>
  %b = bpu.compare %x, %x {mode = "equal", multipliers = [32767, 32767]} : (tensor<4x8xsi8>, tensor<4x8xsi8>) -> tensor<4x8xsi8>
  %c = bpu.where %x, %y, %y {conditionZeroPoint = -128} : (tensor<4x8xsi8>, tensor<8xsi16>, tensor<8xsi16>) -> tensor<4x8xsi16>
  func.return
}

// -----

// CHECK: mode must be one of "equal", {{.*}}, got "below"
func.func @mode(%x: tensor<8xsi8>) {
  %a = bpu.compare %x, %x {mode = "below", multipliers = [32767, 32767]} : (tensor<8xsi8>, tensor<8xsi8>) -> tensor<8xsi8>
  func.return
}

// -----

// CHECK: the larger of multipliers must be in 16384..32767, got [100, 200]
func.func @normalised(%x: tensor<8xsi8>) {
  %a = bpu.compare %x, %x {mode = "less", multipliers = [100, 200]} : (tensor<8xsi8>, tensor<8xsi8>) -> tensor<8xsi8>
  func.return
}

// -----

// CHECK: values must be in -128..127, got [0, 128]
func.func @values(%x: tensor<8xsi8>) {
  %a = bpu.compare %x, %x {mode = "less", multipliers = [32767, 32767], values = [0, 128]} : (tensor<8xsi8>, tensor<8xsi8>) -> tensor<8xsi8>
  func.return
}

// -----

// CHECK: operands must hold one element type, operand 0 holds si8 and operand 1 si16
func.func @choice(%x: tensor<8xsi8>, %y: tensor<8xsi16>) {
  %a = bpu.where %x, %x, %y : (tensor<8xsi8>, tensor<8xsi8>, tensor<8xsi16>) -> tensor<8xsi8>
  func.return
}

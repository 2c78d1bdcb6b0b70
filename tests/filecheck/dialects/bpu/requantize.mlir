// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s
// RUN: hbir-opt %s --split-input-file --no-verify --print-op-generic | hbir-opt - --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: func.func @rescale
// CHECK: bpu.rescale %x {multiplier = 20000 : i64, shift = 33 : i64, inputZeroPoint = 1000 : i64, outputZeroPoint = 5 : i64, clip = [-1, 9]} : (tensor<2x3xsi32>) -> tensor<2x3xsi8>
func.func @rescale(%x: tensor<2x3xsi32>) -> tensor<2x3xsi8> {
  %y = bpu.rescale %x {multiplier = 20000, shift = 33, inputZeroPoint = 1000, outputZeroPoint = 5, clip = [-1, 9]} : (tensor<2x3xsi32>) -> tensor<2x3xsi8>
  func.return %y : tensor<2x3xsi8>
}

// -----

// CHECK: expected a tensor of integers, got tensor<2x3xf32>
func.func @float(%x: tensor<2x3xf32>) {
  %y = bpu.rescale %x {multiplier = 20000, shift = 33} : (tensor<2x3xf32>) -> tensor<2x3xsi8>
  func.return
}

// -----

// CHECK: inputZeroPoint must be in -128..127, got 1000
func.func @zero_point(%x: tensor<2x3xsi8>) {
  %y = bpu.rescale %x {multiplier = 20000, shift = 33, inputZeroPoint = 1000} : (tensor<2x3xsi8>) -> tensor<2x3xsi8>
  func.return
}

// -----

// CHECK: result has element type si32, allowed are si8, si16
func.func @result(%x: tensor<2x3xsi8>) {
  %y = bpu.rescale %x {multiplier = 20000, shift = 33} : (tensor<2x3xsi8>) -> tensor<2x3xsi32>
  func.return
}

// -----

// CHECK: shift must be in 2..62, got 63
func.func @shift(%x: tensor<2x3xsi8>) {
  %y = bpu.rescale %x {multiplier = 20000, shift = 63} : (tensor<2x3xsi8>) -> tensor<2x3xsi8>
  func.return
}

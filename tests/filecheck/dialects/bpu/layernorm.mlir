// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s
// RUN: hbir-opt %s --split-input-file --no-verify --print-op-generic | hbir-opt - --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: func.func @layernorm
// CHECK: bpu.layernorm %x, %a, %t {epsilon = 41 : i64, shift = 29 : i64} : (tensor<2x5x64xsi8>, tensor<64x2xsi32>, tensor<769xsi32>) -> tensor<2x5x64xsi16>
// CHECK: bpu.layernorm %x, %a, %t {center = false, inputZeroPoint = 3 : i64, outputZeroPoint = -4 : i64, shift = 29 : i64} : (tensor<2x5x64xsi8>, tensor<64x2xsi32>, tensor<769xsi32>) -> tensor<2x5x64xsi8>
func.func @layernorm(%x: tensor<2x5x64xsi8>, %a: tensor<64x2xsi32>, %t: tensor<769xsi32>) -> tensor<2x5x64xsi8> {
  %0 = bpu.layernorm %x, %a, %t {epsilon = 41, shift = 29} : (tensor<2x5x64xsi8>, tensor<64x2xsi32>, tensor<769xsi32>) -> tensor<2x5x64xsi16>
  %1 = bpu.layernorm %x, %a, %t {center = false, inputZeroPoint = 3, outputZeroPoint = -4, shift = 29} : (tensor<2x5x64xsi8>, tensor<64x2xsi32>, tensor<769xsi32>) -> tensor<2x5x64xsi8>
  func.return %1 : tensor<2x5x64xsi8>
}

// -----

// CHECK: affine must have shape [64, 2], got [64, 3]
func.func @affine(%x: tensor<5x64xsi8>, %a: tensor<64x3xsi32>, %t: tensor<769xsi32>) {
  %0 = bpu.layernorm %x, %a, %t {shift = 29} : (tensor<5x64xsi8>, tensor<64x3xsi32>, tensor<769xsi32>) -> tensor<5x64xsi8>
  func.return
}

// -----

// CHECK: a row may have 1..32768 elements, x has 40000
func.func @row(%x: tensor<5x40000xsi8>, %a: tensor<40000x2xsi32>, %t: tensor<769xsi32>) {
  %0 = bpu.layernorm %x, %a, %t {center = false, shift = 29} : (tensor<5x40000xsi8>, tensor<40000x2xsi32>, tensor<769xsi32>) -> tensor<5x40000xsi8>
  func.return
}

// -----

// CHECK: shift must be in 8..40, got 41
func.func @shift(%x: tensor<5x64xsi8>, %a: tensor<64x2xsi32>, %t: tensor<769xsi32>) {
  %0 = bpu.layernorm %x, %a, %t {shift = 41} : (tensor<5x64xsi8>, tensor<64x2xsi32>, tensor<769xsi32>) -> tensor<5x64xsi8>
  func.return
}

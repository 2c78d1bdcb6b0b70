// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s
// RUN: hbir-opt %s --split-input-file --no-verify --print-op-generic | hbir-opt - --split-input-file --verify-diagnostics | filecheck %s

// Products of two activations; the right side is transposed, and leading dimensions broadcast.

// CHECK-LABEL: func.func @matmul
// CHECK: bpu.matmul %q, %k {lhsZeroPoint = -128 : i64, multiplier = 20000 : i64, outputZeroPoint = 3 : i64, shift = 24 : i64} : (tensor<2x3x7x8xsi8>, tensor<2x1x5x8xsi8>) -> tensor<2x3x7x5xsi8>
// CHECK: bpu.matmul %q, %w {clip = [0, 90], multiplier = 20000 : i64, shift = 24 : i64} : (tensor<2x3x7x8xsi8>, tensor<9x8xsi16>) -> tensor<2x3x7x9xsi16>
func.func @matmul(%q: tensor<2x3x7x8xsi8>, %k: tensor<2x1x5x8xsi8>, %w: tensor<9x8xsi16>) -> tensor<2x3x7x5xsi8> {
  %0 = bpu.matmul %q, %k {lhsZeroPoint = -128, multiplier = 20000, outputZeroPoint = 3, shift = 24} : (tensor<2x3x7x8xsi8>, tensor<2x1x5x8xsi8>) -> tensor<2x3x7x5xsi8>
  %1 = bpu.matmul %q, %w {clip = [0, 90], multiplier = 20000, shift = 24} : (tensor<2x3x7x8xsi8>, tensor<9x8xsi16>) -> tensor<2x3x7x9xsi16>
  func.return %0 : tensor<2x3x7x5xsi8>
}

// -----

// CHECK: rows of lhs and rhs must be of one length, got [7, 8] and [8, 5]
func.func @rows(%q: tensor<7x8xsi8>, %k: tensor<8x5xsi8>) {
  %0 = bpu.matmul %q, %k {multiplier = 20000, shift = 24} : (tensor<7x8xsi8>, tensor<8x5xsi8>) -> tensor<7x5xsi8>
  func.return
}

// -----

// CHECK: shapes [2] and [3] do not broadcast (dimension -1)
func.func @batch(%q: tensor<2x7x8xsi8>, %k: tensor<3x5x8xsi8>) {
  %0 = bpu.matmul %q, %k {multiplier = 20000, shift = 24} : (tensor<2x7x8xsi8>, tensor<3x5x8xsi8>) -> tensor<2x7x5xsi8>
  func.return
}

// -----

// CHECK: lhsZeroPoint must be in -128..127, got 128
func.func @zero_point(%q: tensor<7x8xsi8>, %k: tensor<5x8xsi8>) {
  %0 = bpu.matmul %q, %k {lhsZeroPoint = 128, multiplier = 20000, shift = 24} : (tensor<7x8xsi8>, tensor<5x8xsi8>) -> tensor<7x5xsi8>
  func.return
}

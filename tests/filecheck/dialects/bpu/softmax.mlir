// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s
// RUN: hbir-opt %s --split-input-file --no-verify --print-op-generic | hbir-opt - --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: func.func @softmax
// CHECK: bpu.softmax %x, %e, %r {dim = -1 : i64, multiplier = 32512 : i64, shift = 8 : i64, outputZeroPoint = -128 : i64} : (tensor<2x1000xsi8>, tensor<256xsi32>, tensor<513xsi32>) -> tensor<2x1000xsi8>
func.func @softmax(%x: tensor<2x1000xsi8>, %e: tensor<256xsi32>, %r: tensor<513xsi32>) -> tensor<2x1000xsi8> {
  %y = bpu.softmax %x, %e, %r {dim = -1, multiplier = 32512, shift = 8, outputZeroPoint = -128} : (tensor<2x1000xsi8>, tensor<256xsi32>, tensor<513xsi32>) -> tensor<2x1000xsi8>
  func.return %y : tensor<2x1000xsi8>
}

// -----

// CHECK: reciprocal_table must have shape [513], got [512]
func.func @table(%x: tensor<2x10xsi8>, %e: tensor<256xsi32>, %r: tensor<512xsi32>) {
  %y = bpu.softmax %x, %e, %r {dim = -1, multiplier = 32512, shift = 8} : (tensor<2x10xsi8>, tensor<256xsi32>, tensor<512xsi32>) -> tensor<2x10xsi8>
  func.return
}

// -----

// CHECK: softmax takes at most 131071 classes, x has 131072
func.func @classes(%x: tensor<131072xsi8>, %e: tensor<256xsi32>, %r: tensor<513xsi32>) {
  %y = bpu.softmax %x, %e, %r {dim = 0, multiplier = 32512, shift = 8} : (tensor<131072xsi8>, tensor<256xsi32>, tensor<513xsi32>) -> tensor<131072xsi8>
  func.return
}

// -----

// CHECK: shift must be in -14..9, got 10
func.func @shift(%x: tensor<2x10xsi8>, %e: tensor<256xsi32>, %r: tensor<513xsi32>) {
  %y = bpu.softmax %x, %e, %r {dim = -1, multiplier = 32512, shift = 10} : (tensor<2x10xsi8>, tensor<256xsi32>, tensor<513xsi32>) -> tensor<2x10xsi8>
  func.return
}

// -----

// 16 bits: 513 knots of a power of two, and what brings the distance to its exponent.

// CHECK-LABEL: func.func @wide
// CHECK: bpu.softmax %x, %e, %r {dim = 1 : i64, expMultiplier = 24203 : i64, expShift = 8 : i64, multiplier = 32767 : i64, shift = 0 : i64} : (tensor<2x10xsi16>, tensor<513xsi32>, tensor<513xsi32>) -> tensor<2x10xsi16>
func.func @wide(%x: tensor<2x10xsi16>, %e: tensor<513xsi32>, %r: tensor<513xsi32>) -> tensor<2x10xsi16> {
  %y = bpu.softmax %x, %e, %r {dim = 1, expMultiplier = 24203, expShift = 8, multiplier = 32767, shift = 0} : (tensor<2x10xsi16>, tensor<513xsi32>, tensor<513xsi32>) -> tensor<2x10xsi16>
  func.return %y : tensor<2x10xsi16>
}

// -----

// CHECK: exp_table must have shape [513], got [256]
func.func @wide_table(%x: tensor<2x10xsi16>, %e: tensor<256xsi32>, %r: tensor<513xsi32>) {
  %y = bpu.softmax %x, %e, %r {dim = 1, multiplier = 32767, shift = 0} : (tensor<2x10xsi16>, tensor<256xsi32>, tensor<513xsi32>) -> tensor<2x10xsi16>
  func.return
}

// -----

// CHECK: expMultiplier and expShift must be in 0..32767 and -16..62, got 24203 and -17
func.func @exponent(%x: tensor<2x10xsi16>, %e: tensor<513xsi32>, %r: tensor<513xsi32>) {
  %y = bpu.softmax %x, %e, %r {dim = 1, expMultiplier = 24203, expShift = -17, multiplier = 32767, shift = 0} : (tensor<2x10xsi16>, tensor<513xsi32>, tensor<513xsi32>) -> tensor<2x10xsi16>
  func.return
}

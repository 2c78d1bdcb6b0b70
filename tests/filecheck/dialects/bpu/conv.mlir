// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s
// RUN: hbir-opt %s --split-input-file --verify-diagnostics --print-op-generic | filecheck %s --check-prefix GENERIC
// RUN: hbir-opt %s --split-input-file --no-verify --print-op-generic | hbir-opt - --split-input-file --verify-diagnostics | filecheck %s

// Properties at their defaults are left out; the generic form says them.
// CHECK-LABEL: func.func @plain
// CHECK: %y = bpu.conv2d %x, %w, %qpp {pad = [1, 1, 1, 1], clip = [0, 127]} : (tensor<1x8x9x16xsi8>, tensor<32x3x3x16xsi8>, tensor<32x3xsi32>) -> tensor<1x8x9x32xsi8>
// GENERIC: "bpu.conv2d"(%x, %w, %qpp) <{{[{].*pad = \[1, 1, 1, 1\]}}
func.func @plain(%x: tensor<1x8x9x16xsi8>, %w: tensor<32x3x3x16xsi8>, %qpp: tensor<32x3xsi32>) -> tensor<1x8x9x32xsi8> {
  %y = bpu.conv2d %x, %w, %qpp {pad = [1, 1, 1, 1], stride = [1, 1], clip = [0, 127]} : (tensor<1x8x9x16xsi8>, tensor<32x3x3x16xsi8>, tensor<32x3xsi32>) -> tensor<1x8x9x32xsi8>
  func.return %y : tensor<1x8x9x32xsi8>
}

// -----

// A residual brings two more columns; a depthwise convolution has groupNum = Cin.
// CHECK-LABEL: func.func @residual
// CHECK: bpu.conv2d %x, %w, %qpp, %x {pad = [1, 1, 1, 1], groupNum = 16 : i64, padValue = 3 : i64, outputZeroPoint = -7 : i64}
func.func @residual(%x: tensor<1x8x9x16xsi8>, %w: tensor<16x3x3x1xsi8>, %qpp: tensor<16x5xsi32>) -> tensor<1x8x9x16xsi8> {
  %y = bpu.conv2d %x, %w, %qpp, %x {pad = [1, 1, 1, 1], groupNum = 16, padValue = 3, outputZeroPoint = -7} : (tensor<1x8x9x16xsi8>, tensor<16x3x3x1xsi8>, tensor<16x5xsi32>, tensor<1x8x9x16xsi8>) -> tensor<1x8x9x16xsi8>
  func.return %y : tensor<1x8x9x16xsi8>
}

// -----

// A transposed convolution spreads its input; a raw result is si32.
// CHECK-LABEL: func.func @transposed
// CHECK: bpu.conv2d %x, %w, %qpp {pad = [1, 1, 1, 1], inputDilation = [2, 2]} : {{.*}} -> tensor<1x8x10x4xsi32>
func.func @transposed(%x: tensor<1x4x5x8xsi8>, %w: tensor<4x2x2x8xsi8>, %qpp: tensor<4x3xsi32>) -> tensor<1x8x10x4xsi32> {
  %y = bpu.conv2d %x, %w, %qpp {pad = [1, 1, 1, 1], inputDilation = [2, 2]} : (tensor<1x4x5x8xsi8>, tensor<4x2x2x8xsi8>, tensor<4x3xsi32>) -> tensor<1x8x10x4xsi32>
  func.return %y : tensor<1x8x10x4xsi32>
}

// -----

// CHECK: result has shape [1, 8, 8, 4], operands and properties give [1, 6, 6, 4]
func.func @shape(%x: tensor<1x8x8x8xsi8>, %w: tensor<4x3x3x8xsi8>, %qpp: tensor<4x3xsi32>) {
  %y = bpu.conv2d %x, %w, %qpp : (tensor<1x8x8x8xsi8>, tensor<4x3x3x8xsi8>, tensor<4x3xsi32>) -> tensor<1x8x8x4xsi8>
  func.return
}

// -----

// CHECK: qpp must have shape [4, 3], got [4, 5]
func.func @columns(%x: tensor<1x8x8x8xsi8>, %w: tensor<4x1x1x8xsi8>, %qpp: tensor<4x5xsi32>) {
  %y = bpu.conv2d %x, %w, %qpp : (tensor<1x8x8x8xsi8>, tensor<4x1x1x8xsi8>, tensor<4x5xsi32>) -> tensor<1x8x8x4xsi8>
  func.return
}

// -----

// CHECK: residual must have shape [1, 8, 8, 4], got [1, 8, 8, 1]
func.func @broadcast_residual(%x: tensor<1x8x8x8xsi8>, %w: tensor<4x1x1x8xsi8>, %qpp: tensor<4x5xsi32>, %r: tensor<1x8x8x1xsi8>) {
  %y = bpu.conv2d %x, %w, %qpp, %r : (tensor<1x8x8x8xsi8>, tensor<4x1x1x8xsi8>, tensor<4x5xsi32>, tensor<1x8x8x1xsi8>) -> tensor<1x8x8x4xsi8>
  func.return
}

// -----

// CHECK: w must hold si8 or si16, got si32
func.func @weights(%x: tensor<1x8x8x8xsi8>, %w: tensor<4x1x1x8xsi32>, %qpp: tensor<4x3xsi32>) {
  %y = bpu.conv2d %x, %w, %qpp : (tensor<1x8x8x8xsi8>, tensor<4x1x1x8xsi32>, tensor<4x3xsi32>) -> tensor<1x8x8x4xsi8>
  func.return
}

// -----

// CHECK: clip must be [lo, hi] with -128 <= lo <= hi <= 127, got [6, 0]
func.func @clip(%x: tensor<1x8x8x8xsi8>, %w: tensor<4x1x1x8xsi8>, %qpp: tensor<4x3xsi32>) {
  %y = bpu.conv2d %x, %w, %qpp {clip = [6, 0]} : (tensor<1x8x8x8xsi8>, tensor<4x1x1x8xsi8>, tensor<4x3xsi32>) -> tensor<1x8x8x4xsi8>
  func.return
}

// -----

// A raw accumulator is si32, whatever x and w hold.
// CHECK: result has element type si64, allowed are si8, si16, f16, si32
func.func @raw(%x: tensor<1x8x8x8xsi16>, %w: tensor<4x1x1x8xsi8>, %qpp: tensor<4x3xsi32>) {
  %y = bpu.conv2d %x, %w, %qpp : (tensor<1x8x8x8xsi16>, tensor<4x1x1x8xsi8>, tensor<4x3xsi32>) -> tensor<1x8x8x4xsi64>
  func.return
}

// -----

// CHECK: w of shape [4, 1, 1, 8] with groupNum 2 takes 16 input channels, x has 8
func.func @groups(%x: tensor<1x8x8x8xsi8>, %w: tensor<4x1x1x8xsi8>, %qpp: tensor<4x3xsi32>) {
  %y = bpu.conv2d %x, %w, %qpp {groupNum = 2} : (tensor<1x8x8x8xsi8>, tensor<4x1x1x8xsi8>, tensor<4x3xsi32>) -> tensor<1x8x8x4xsi8>
  func.return
}

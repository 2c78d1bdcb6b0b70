// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s
// RUN: hbir-opt %s --split-input-file --no-verify --print-op-generic | hbir-opt - --split-input-file --verify-diagnostics | filecheck %s

// Arithmetic on float16: no scales, no shifts, no zero points.

// CHECK-LABEL: func.func @elementwise
// CHECK: bpu.float_add %x, %y : (tensor<2x4xf16>, tensor<4xf16>) -> tensor<2x4xf16>
// CHECK: bpu.float_sub %x, %y : (tensor<2x4xf16>, tensor<4xf16>) -> tensor<2x4xf16>
// CHECK: bpu.float_mul %x, %y : (tensor<2x4xf16>, tensor<4xf16>) -> tensor<2x4xf16>
// CHECK: bpu.float_compare %x, %y {mode = "less"} : (tensor<2x4xf16>, tensor<4xf16>) -> tensor<2x4xf16>
// CHECK: bpu.float_prelu %x, %y : (tensor<2x4xf16>, tensor<4xf16>) -> tensor<2x4xf16>
func.func @elementwise(%x: tensor<2x4xf16>, %y: tensor<4xf16>) {
  %0 = bpu.float_add %x, %y : (tensor<2x4xf16>, tensor<4xf16>) -> tensor<2x4xf16>
  %1 = bpu.float_sub %x, %y : (tensor<2x4xf16>, tensor<4xf16>) -> tensor<2x4xf16>
  %2 = bpu.float_mul %x, %y : (tensor<2x4xf16>, tensor<4xf16>) -> tensor<2x4xf16>
  %3 = bpu.float_compare %x, %y {mode = "less"} : (tensor<2x4xf16>, tensor<4xf16>) -> tensor<2x4xf16>
  %4 = bpu.float_prelu %x, %y : (tensor<2x4xf16>, tensor<4xf16>) -> tensor<2x4xf16>
  func.return
}

// -----

// CHECK-LABEL: func.func @rows
// CHECK: bpu.float_softmax %x {dim = 1 : i64} : (tensor<2x4xf16>) -> tensor<2x4xf16>
// CHECK: bpu.float_layernorm %x, %a {epsilon = 1.000000e-05 : f64} : (tensor<2x4xf16>, tensor<4x2xf32>) -> tensor<2x4xf16>
// CHECK: bpu.float_layernorm %x, %a {center = false} : (tensor<2x4xf16>, tensor<4x2xf32>) -> tensor<2x4xf16>
// CHECK: bpu.float_reduce_sum %x {dims = [0], keepDim = true} : (tensor<2x4xf16>) -> tensor<1x4xf16>
// CHECK: bpu.float_reduce_mean %x {dims = [0, 1]} : (tensor<2x4xf16>) -> tensor<f16>
func.func @rows(%x: tensor<2x4xf16>, %a: tensor<4x2xf32>) {
  %0 = bpu.float_softmax %x {dim = 1} : (tensor<2x4xf16>) -> tensor<2x4xf16>
  %1 = bpu.float_layernorm %x, %a {epsilon = 1.0e-05} : (tensor<2x4xf16>, tensor<4x2xf32>) -> tensor<2x4xf16>
  %2 = bpu.float_layernorm %x, %a {center = false} : (tensor<2x4xf16>, tensor<4x2xf32>) -> tensor<2x4xf16>
  %3 = bpu.float_reduce_sum %x {dims = [0], keepDim = true} : (tensor<2x4xf16>) -> tensor<1x4xf16>
  %4 = bpu.float_reduce_mean %x {dims = [0, 1]} : (tensor<2x4xf16>) -> tensor<f16>
  func.return
}

// -----

// CHECK-LABEL: func.func @pool
// CHECK: bpu.float_avg_pool %x {kernel = [2, 2], stride = [2, 2], countIncludePad = false, pad = [0, 0, 1, 1]} : (tensor<1x5x5x3xf16>) -> tensor<1x3x3x3xf16>
func.func @pool(%x: tensor<1x5x5x3xf16>) {
  %0 = bpu.float_avg_pool %x {kernel = [2, 2], stride = [2, 2], countIncludePad = false, pad = [0, 0, 1, 1]} : (tensor<1x5x5x3xf16>) -> tensor<1x3x3x3xf16>
  func.return
}

// -----

// What moves or selects is the integers' op; where a convolution ends in float16, so is its clip.

// CHECK-LABEL: func.func @shared
// CHECK: bpu.conv2d {{.*}} {clip = [0, 6], padValue = 3 : i64} : {{.*}} -> tensor<1x4x4x2xf16>
// CHECK: bpu.conv2d {{.*}}, tensor<2x3xsi32>, tensor<1x4x4x2xf16>) -> tensor<1x4x4x2xf16>
// CHECK: bpu.conv2d {{.*}}, tensor<2x5xsi32>, tensor<1x4x4x2xsi16>) -> tensor<1x4x4x2xf16>
// CHECK: bpu.matmul {{.*}} -> tensor<1x4x4x4xf16>
// CHECK: bpu.lut {{.*}} : (tensor<1x4x4x2xf16>, tensor<65536xsi8>) -> tensor<1x4x4x2xsi8>
// CHECK: bpu.lut {{.*}} : (tensor<1x4x4x2xsi8>, tensor<256xf16>) -> tensor<1x4x4x2xf16>
// CHECK: bpu.max {{.*}} -> tensor<1x4x4x2xf16>
// CHECK: bpu.max_pool {{.*}} -> tensor<1x2x2x2xf16>
// CHECK: bpu.pad {{.*}} -> tensor<1x5x4x2xf16>
func.func @shared(%x: tensor<1x4x4x2xsi8>, %w: tensor<2x1x1x2xsi8>, %q: tensor<2x3xsi32>, %p: tensor<2x5xsi32>, %r: tensor<1x4x4x2xsi16>, %t: tensor<65536xsi8>, %n: tensor<256xf16>) {
  %0 = bpu.conv2d %x, %w, %q {clip = [0, 6], padValue = 3} : (tensor<1x4x4x2xsi8>, tensor<2x1x1x2xsi8>, tensor<2x3xsi32>) -> tensor<1x4x4x2xf16>
  %1 = bpu.conv2d %x, %w, %q, %0 : (tensor<1x4x4x2xsi8>, tensor<2x1x1x2xsi8>, tensor<2x3xsi32>, tensor<1x4x4x2xf16>) -> tensor<1x4x4x2xf16>
  %2 = bpu.conv2d %x, %w, %p, %r : (tensor<1x4x4x2xsi8>, tensor<2x1x1x2xsi8>, tensor<2x5xsi32>, tensor<1x4x4x2xsi16>) -> tensor<1x4x4x2xf16>
  %3 = bpu.matmul %x, %x {multiplier = 16384, shift = 20} : (tensor<1x4x4x2xsi8>, tensor<1x4x4x2xsi8>) -> tensor<1x4x4x4xf16>
  %4 = bpu.lut %0, %t : (tensor<1x4x4x2xf16>, tensor<65536xsi8>) -> tensor<1x4x4x2xsi8>
  %5 = bpu.lut %x, %n : (tensor<1x4x4x2xsi8>, tensor<256xf16>) -> tensor<1x4x4x2xf16>
  %6 = bpu.max %0, %1 : (tensor<1x4x4x2xf16>, tensor<1x4x4x2xf16>) -> tensor<1x4x4x2xf16>
  %7 = bpu.max_pool %0 {kernel = [2, 2], stride = [2, 2]} : (tensor<1x4x4x2xf16>) -> tensor<1x2x2x2xf16>
  %8 = bpu.pad %0 {begin = [0, 1, 0, 0], end = [0, 0, 0, 0], padValue = -65504} : (tensor<1x4x4x2xf16>) -> tensor<1x5x4x2xf16>
  func.return
}

// -----

// CHECK: y must hold f16, got si8
func.func @mixed(%x: tensor<4xf16>, %y: tensor<4xsi8>) {
  %0 = bpu.float_add %x, %y : (tensor<4xf16>, tensor<4xsi8>) -> tensor<4xf16>
  func.return
}

// -----

// CHECK: mode must be one of "equal", "not_equal", "greater", "greater_equal", "less", "less_equal", got "near"
func.func @mode(%x: tensor<4xf16>) {
  %0 = bpu.float_compare %x, %x {mode = "near"} : (tensor<4xf16>, tensor<4xf16>) -> tensor<4xf16>
  func.return
}

// -----

// CHECK: slope must have shape [4], got [2]
func.func @slope(%x: tensor<4xf16>, %s: tensor<2xf16>) {
  %0 = bpu.float_prelu %x, %s : (tensor<4xf16>, tensor<2xf16>) -> tensor<4xf16>
  func.return
}

// -----

// CHECK: dim must be in -1..0 for rank 1, got 1
func.func @dim(%x: tensor<4xf16>) {
  %0 = bpu.float_softmax %x {dim = 1} : (tensor<4xf16>) -> tensor<4xf16>
  func.return
}

// -----

// CHECK: affine must have shape [4, 2], got [2, 4]
func.func @affine(%x: tensor<4xf16>, %a: tensor<2x4xf32>) {
  %0 = bpu.float_layernorm %x, %a : (tensor<4xf16>, tensor<2x4xf32>) -> tensor<4xf16>
  func.return
}

// -----

// CHECK: epsilon must be at least 0, got -1.0
func.func @epsilon(%x: tensor<4xf16>, %a: tensor<4x2xf32>) {
  %0 = bpu.float_layernorm %x, %a {epsilon = -1.0} : (tensor<4xf16>, tensor<4x2xf32>) -> tensor<4xf16>
  func.return
}

// -----

// CHECK: a residual of f16 needs a result of f16, got si8
func.func @residual(%x: tensor<1x4x4x2xsi8>, %w: tensor<2x1x1x2xsi8>, %q: tensor<2x3xsi32>, %r: tensor<1x4x4x2xf16>) {
  %0 = bpu.conv2d %x, %w, %q, %r : (tensor<1x4x4x2xsi8>, tensor<2x1x1x2xsi8>, tensor<2x3xsi32>, tensor<1x4x4x2xf16>) -> tensor<1x4x4x2xsi8>
  func.return
}

// -----

// CHECK: outputZeroPoint must be 0 of f16, got 3
func.func @zero_point(%x: tensor<4x2xsi8>) {
  %0 = bpu.matmul %x, %x {multiplier = 16384, shift = 20, outputZeroPoint = 3} : (tensor<4x2xsi8>, tensor<4x2xsi8>) -> tensor<4x4xf16>
  func.return
}

// -----

// CHECK: table must have shape [65536], got [256]
func.func @table(%x: tensor<4xf16>, %t: tensor<256xf16>) {
  %0 = bpu.lut %x, %t : (tensor<4xf16>, tensor<256xf16>) -> tensor<4xf16>
  func.return
}

// -----

// CHECK: segments give si8 or si16; a table of f16 has 65536 entries
func.func @segments(%x: tensor<4xsi16>, %t: tensor<2x67xsi32>) {
  %0 = bpu.lut %x, %t : (tensor<4xsi16>, tensor<2x67xsi32>) -> tensor<4xf16>
  func.return
}

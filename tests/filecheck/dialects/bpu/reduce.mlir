// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s
// RUN: hbir-opt %s --split-input-file --no-verify --print-op-generic | hbir-opt - --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: func.func @means
// CHECK: bpu.reduce_mean %x {dims = [1, 2], multiplier = 16384 : i64, shift = 20 : i64, keepDim = true} : (tensor<1x8x8x4xsi8>) -> tensor<1x1x1x4xsi8>
// CHECK: bpu.reduce_mean %x {dims = [-1], multiplier = 16384 : i64, shift = 16 : i64} : (tensor<1x8x8x4xsi8>) -> tensor<1x8x8xsi16>
func.func @means(%x: tensor<1x8x8x4xsi8>) {
  %a = bpu.reduce_mean %x {dims = [1, 2], multiplier = 16384, shift = 20, keepDim = true} : (tensor<1x8x8x4xsi8>) -> tensor<1x1x1x4xsi8>
  %b = bpu.reduce_mean %x {dims = [-1], multiplier = 16384, shift = 16} : (tensor<1x8x8x4xsi8>) -> tensor<1x8x8xsi16>
  func.return
}

// -----

// CHECK: dims must be in -4..3 for rank 4, got 4
func.func @dims(%x: tensor<1x8x8x4xsi8>) {
  %a = bpu.reduce_mean %x {dims = [4], multiplier = 16384, shift = 20} : (tensor<1x8x8x4xsi8>) -> tensor<1x8x8xsi8>
  func.return
}

// -----

// CHECK: dims must name each dimension once, got [3, -1]
func.func @twice(%x: tensor<1x8x8x4xsi8>) {
  %a = bpu.reduce_mean %x {dims = [3, -1], multiplier = 16384, shift = 20} : (tensor<1x8x8x4xsi8>) -> tensor<1x8x8xsi8>
  func.return
}

// -----

// CHECK-LABEL: func.func @others
// CHECK: bpu.reduce_sum %x {dims = [1], multiplier = 16384 : i64, shift = 18 : i64, inputZeroPoint = 3 : i64} : (tensor<4x8xsi16>) -> tensor<4xsi8>
// CHECK: bpu.reduce_max %x {dims = [0], keepDim = true} : (tensor<4x8xsi16>) -> tensor<1x8xsi16>
// CHECK: bpu.reduce_min %x {dims = [0, 1]} : (tensor<4x8xsi16>) -> tensor<si16>
func.func @others(%x: tensor<4x8xsi16>) {
  %a = bpu.reduce_sum %x {dims = [1], multiplier = 16384, shift = 18, inputZeroPoint = 3} : (tensor<4x8xsi16>) -> tensor<4xsi8>
  %b = bpu.reduce_max %x {dims = [0], keepDim = true} : (tensor<4x8xsi16>) -> tensor<1x8xsi16>
  %c = bpu.reduce_min %x {dims = [0, 1]} : (tensor<4x8xsi16>) -> tensor<si16>
  func.return
}

// -----

// CHECK: result has element type si16, expected si8
func.func @kept(%x: tensor<4x8xsi8>) {
  %b = bpu.reduce_max %x {dims = [0], keepDim = true} : (tensor<4x8xsi8>) -> tensor<1x8xsi16>
  func.return
}

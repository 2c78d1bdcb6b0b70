// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s
// RUN: hbir-opt %s --split-input-file --no-verify --print-op-generic | hbir-opt - --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: func.func @resize
// CHECK: bpu.resize2d %x {size = [8, 10], step = [2147483648, 2147483648], initialOffset = [-1073741824, -1073741824], mode = "bilinear"} : (tensor<1x4x5x3xsi8>) -> tensor<1x8x10x3xsi8>
// CHECK: bpu.resize2d %x {size = [2, 10], step = [32768, 32768], initialOffset = [0, 0], mode = "nearest", nearestMode = "floor", fractionBits = 16 : i64, outOffset = [6, 0], inOffset = [2, 0], inSize = [6, 5]} : (tensor<1x4x5x3xsi8>) -> tensor<1x2x10x3xsi8>
func.func @resize(%x: tensor<1x4x5x3xsi8>) {
  %a = bpu.resize2d %x {size = [8, 10], step = [2147483648, 2147483648], initialOffset = [-1073741824, -1073741824], mode = "bilinear"} : (tensor<1x4x5x3xsi8>) -> tensor<1x8x10x3xsi8>
  %b = bpu.resize2d %x {size = [2, 10], step = [32768, 32768], initialOffset = [0, 0], mode = "nearest", nearestMode = "floor", fractionBits = 16, outOffset = [6, 0], inOffset = [2, 0], inSize = [6, 5]} : (tensor<1x4x5x3xsi8>) -> tensor<1x2x10x3xsi8>
  func.return
}

// -----

// CHECK: mode must be one of "nearest", "bilinear", got "cubic"
func.func @mode(%x: tensor<1x4x5x3xsi8>) {
  %a = bpu.resize2d %x {size = [8, 10], step = [1, 1], initialOffset = [0, 0], mode = "cubic"} : (tensor<1x4x5x3xsi8>) -> tensor<1x8x10x3xsi8>
  func.return
}

// -----

// CHECK: fractionBits must be in 12..32, got 11
func.func @bits(%x: tensor<1x4x5x3xsi8>) {
  %a = bpu.resize2d %x {size = [8, 10], step = [1, 1], initialOffset = [0, 0], mode = "nearest", fractionBits = 11} : (tensor<1x4x5x3xsi8>) -> tensor<1x8x10x3xsi8>
  func.return
}

// -----

// CHECK: positions must stay below 2^62; step 4611686018427387904 over 8 outputs exceeds it
func.func @overflow(%x: tensor<1x4x5x3xsi8>) {
  %a = bpu.resize2d %x {size = [8, 10], step = [4611686018427387904, 1], initialOffset = [0, 0], mode = "nearest"} : (tensor<1x4x5x3xsi8>) -> tensor<1x8x10x3xsi8>
  func.return
}

// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s
// RUN: hbir-opt %s --split-input-file --no-verify --print-op-generic | hbir-opt - --split-input-file --verify-diagnostics | filecheck %s

// CHECK-LABEL: func.func @pools
// CHECK: bpu.max_pool %x {kernel = [3, 3], stride = [2, 2], pad = [1, 1, 1, 1]} : (tensor<1x8x8x4xsi8>) -> tensor<1x4x4x4xsi8>
// CHECK: bpu.avg_pool %x, %q {kernel = [2, 2], stride = [2, 2]} : (tensor<1x8x8x4xsi8>, tensor<1x2xsi32>) -> tensor<1x4x4x4xsi8>
// CHECK: bpu.avg_pool %x, %r {kernel = [3, 3], pad = [1, 1, 1, 1], inputZeroPoint = 2 : i64, outputZeroPoint = 3 : i64, countIncludePad = false} : (tensor<1x8x8x4xsi8>, tensor<10x2xsi32>) -> tensor<1x8x8x4xsi8>
func.func @pools(%x: tensor<1x8x8x4xsi8>, %q: tensor<1x2xsi32>, %r: tensor<10x2xsi32>) {
  %a = bpu.max_pool %x {kernel = [3, 3], stride = [2, 2], pad = [1, 1, 1, 1]} : (tensor<1x8x8x4xsi8>) -> tensor<1x4x4x4xsi8>
  %b = bpu.avg_pool %x, %q {kernel = [2, 2], stride = [2, 2]} : (tensor<1x8x8x4xsi8>, tensor<1x2xsi32>) -> tensor<1x4x4x4xsi8>
  %c = bpu.avg_pool %x, %r {kernel = [3, 3], pad = [1, 1, 1, 1], inputZeroPoint = 2, outputZeroPoint = 3, countIncludePad = false} : (tensor<1x8x8x4xsi8>, tensor<10x2xsi32>) -> tensor<1x8x8x4xsi8>
  func.return
}

// -----

// A row per valid count, 0 to KH * KW.
// CHECK: qpp must have shape [10, 2], got [9, 2]
func.func @rows(%x: tensor<1x8x8x4xsi8>, %q: tensor<9x2xsi32>) {
  %a = bpu.avg_pool %x, %q {kernel = [3, 3], countIncludePad = false} : (tensor<1x8x8x4xsi8>, tensor<9x2xsi32>) -> tensor<1x6x6x4xsi8>
  func.return
}

// -----

// CHECK: a 9x9 window does not fit into an input of 8x8 with pad [0, 0, 0, 0]
func.func @window(%x: tensor<1x8x8x4xsi8>) {
  %a = bpu.max_pool %x {kernel = [9, 9]} : (tensor<1x8x8x4xsi8>) -> tensor<1x1x1x4xsi8>
  func.return
}

// -----

// CHECK: result has element type si16, expected si8
func.func @element(%x: tensor<1x8x8x4xsi8>) {
  %a = bpu.max_pool %x {kernel = [8, 8]} : (tensor<1x8x8x4xsi8>) -> tensor<1x1x1x4xsi16>
  func.return
}

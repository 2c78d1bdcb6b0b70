// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// What image ops refuse.

// CHECK: uv must be [1, 2, 3, 2] for y of 4x6, got [1, 4, 6, 2]
func.func @chroma(%y: tensor<1x4x6x1xui8>, %uv: tensor<1x4x6x2xui8>) -> tensor<1x4x6x3xsi8> {
  %0 = hbir.image_convert %y, %uv : (tensor<1x4x6x1xui8>, tensor<1x4x6x2xui8>) -> tensor<1x4x6x3xsi8>
  func.return %0 : tensor<1x4x6x3xsi8>
}

// -----

// CHECK: NV12 needs an even height and width, got 3x6
func.func @odd(%y: tensor<1x3x6x1xui8>, %uv: tensor<1x1x3x2xui8>) -> tensor<1x3x6x3xsi8> {
  %0 = hbir.image_convert %y, %uv : (tensor<1x3x6x1xui8>, tensor<1x1x3x2xui8>) -> tensor<1x3x6x3xsi8>
  func.return %0 : tensor<1x3x6x3xsi8>
}

// -----

// CHECK: GRAY has 1 plane, got 2
func.func @planes(%y: tensor<1x4x6x1xui8>, %uv: tensor<1x2x3x2xui8>) -> tensor<1x4x6x1xsi8> {
  %0 = hbir.image_convert %y, %uv {mode = "GRAY"} : (tensor<1x4x6x1xui8>, tensor<1x2x3x2xui8>) -> tensor<1x4x6x1xsi8>
  func.return %0 : tensor<1x4x6x1xsi8>
}

// -----

// CHECK: planes must be ui8, got si8
func.func @signed(%y: tensor<1x4x6x1xsi8>) -> tensor<1x4x6x1xsi8> {
  %0 = hbir.image_convert %y {mode = "GRAY"} : (tensor<1x4x6x1xsi8>) -> tensor<1x4x6x1xsi8>
  func.return %0 : tensor<1x4x6x1xsi8>
}

// -----

// CHECK: csc bgr2rgb needs three channels last, got 4
func.func @channels(%x: tensor<1x2x2x4xf32>) -> tensor<1x2x2x4xf32> {
  %0 = hbir.image_preprocess %x {csc = "bgr2rgb"} : (tensor<1x2x2x4xf32>) -> tensor<1x2x2x4xf32>
  func.return %0 : tensor<1x2x2x4xf32>
}

// -----

// CHECK: mean must have 1 or 3 numbers, got 2
func.func @mean(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
  %0 = hbir.image_preprocess %x {mean = [1.0, 2.0]} : (tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32>
  func.return %0 : tensor<1x2x2x3xf32>
}

// -----

// CHECK: sd must not hold 0
func.func @sd(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
  %0 = hbir.image_preprocess %x {sd = [1.0, 0.0, 1.0]} : (tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32>
  func.return %0 : tensor<1x2x2x3xf32>
}

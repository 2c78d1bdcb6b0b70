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

// -----

// CHECK: y must have dynamic_dims [-2, -3], got tensor<1x8x8x1xui8>
func.func @static(%y: tensor<1x8x8x1xui8>, %roi: tensor<1x4xsi32>) -> tensor<1x4x4x1xsi8> {
  %0 = hbir.roi_resize %y roi %roi {mode = "GRAY", size = [4, 4]} : (tensor<1x8x8x1xui8>, tensor<1x4xsi32>) -> tensor<1x4x4x1xsi8>
  func.return %0 : tensor<1x4x4x1xsi8>
}

// -----

// CHECK: uv must be [1, 4, 4, 2], got tensor<1x8x8x2xui8, {{.*}}>
func.func @half(%y: tensor<1x8x8x1xui8, {dynamic_dims = [-2, -3]}>, %uv: tensor<1x8x8x2xui8, {dynamic_dims = [-2, -3]}>, %roi: tensor<1x4xsi32>) -> tensor<1x4x4x3xsi8> {
  %0 = hbir.roi_resize %y, %uv roi %roi {size = [4, 4]} : (tensor<1x8x8x1xui8, {dynamic_dims = [-2, -3]}>, tensor<1x8x8x2xui8, {dynamic_dims = [-2, -3]}>, tensor<1x4xsi32>) -> tensor<1x4x4x3xsi8>
  func.return %0 : tensor<1x4x4x3xsi8>
}

// -----

// CHECK: NV12 needs an even height and width, got 8x8 and size 4x5
func.func @odd_size(%y: tensor<1x8x8x1xui8, {dynamic_dims = [-2, -3]}>, %uv: tensor<1x4x4x2xui8, {dynamic_dims = [-2, -3]}>, %roi: tensor<1x4xsi32>) -> tensor<1x4x5x3xsi8> {
  %0 = hbir.roi_resize %y, %uv roi %roi {size = [4, 5]} : (tensor<1x8x8x1xui8, {dynamic_dims = [-2, -3]}>, tensor<1x4x4x2xui8, {dynamic_dims = [-2, -3]}>, tensor<1x4xsi32>) -> tensor<1x4x5x3xsi8>
  func.return %0 : tensor<1x4x5x3xsi8>
}

// -----

// CHECK: roi must be tensor<1x4xsi32> (left, top, right, bottom), got tensor<4xsi32>
func.func @roi(%y: tensor<1x8x8x1xui8, {dynamic_dims = [-2, -3]}>, %roi: tensor<4xsi32>) -> tensor<1x4x4x1xsi8> {
  %0 = hbir.roi_resize %y roi %roi {mode = "GRAY", size = [4, 4]} : (tensor<1x8x8x1xui8, {dynamic_dims = [-2, -3]}>, tensor<4xsi32>) -> tensor<1x4x4x1xsi8>
  func.return %0 : tensor<1x4x4x1xsi8>
}

// -----

// CHECK: padValue must be a byte for Y and one for UV, -128...255, got [0, -129]
func.func @pad(%y: tensor<1x8x8x1xui8, {dynamic_dims = [-2, -3]}>, %roi: tensor<1x4xsi32>) -> tensor<1x4x4x1xsi8> {
  %0 = hbir.roi_resize %y roi %roi {mode = "GRAY", padValue = [0, -129], size = [4, 4]} : (tensor<1x8x8x1xui8, {dynamic_dims = [-2, -3]}>, tensor<1x4xsi32>) -> tensor<1x4x4x1xsi8>
  func.return %0 : tensor<1x4x4x1xsi8>
}

// -----

// CHECK: the encoding of a tensor must be {dynamic_dims = [...]} with axes from -4 to -1
func.func @encoding(%y: tensor<1x8x8x1xui8, {dynamic_dims = [-2, 1]}>, %roi: tensor<1x4xsi32>) -> tensor<1x4x4x1xsi8> {
  %0 = hbir.roi_resize %y roi %roi {mode = "GRAY", size = [4, 4]} : (tensor<1x8x8x1xui8, {dynamic_dims = [-2, 1]}>, tensor<1x4xsi32>) -> tensor<1x4x4x1xsi8>
  func.return %0 : tensor<1x4x4x1xsi8>
}

// -----

// Nothing else reads what has no shape before a run.
// CHECK: error: hbir.transpose ({{.*}}): operand 0 has open extents, which only hbir.roi_resize can read
func.func @other_reader(%y: tensor<1x8x8x1xui8, {dynamic_dims = [-2, -3]}>) -> tensor<1x1x8x8xui8> {
  %0 = hbir.transpose %y {dims = [0, 3, 1, 2]} : (tensor<1x8x8x1xui8, {dynamic_dims = [-2, -3]}>) -> tensor<1x1x8x8xui8>
  func.return %0 : tensor<1x1x8x8xui8>
}

// -----

// CHECK: error: func.return ({{.*}}): operand 0 has open extents
func.func @returned(%y: tensor<1x8x8x1xui8, {dynamic_dims = [-2, -3]}>) -> tensor<1x8x8x1xui8, {dynamic_dims = [-2, -3]}> {
  func.return %y : tensor<1x8x8x1xui8, {dynamic_dims = [-2, -3]}>
}

// -----

// CHECK: error: hbir.relu ({{.*}}): its result has open extents; only inputs of a function can
func.func @result(%x: tensor<8xf32, {dynamic_dims = [-1]}>) {
  %0 = hbir.relu %x : tensor<8xf32, {dynamic_dims = [-1]}>
  func.return
}

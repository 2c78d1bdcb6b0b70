// RUN: hbir-opt %s --split-input-file --verify-diagnostics | filecheck %s

// A region of interest of an image in DDR, whose height and width each run gives.

// CHECK-LABEL: func.func @roi_resize
// CHECK:         bpu.roi_resize %roi of %y, %uv {expansionMode = "border", interpolateMode = "nearest", padValue = [16, 128], size = [6, 8]} : (tensor<1x4xsi32>, tensor<1x64x64x1xui8, {dynamic_dims = [-2, -3]}>, tensor<1x32x32x2xui8, {dynamic_dims = [-2, -3]}>) -> tensor<1x6x8x3xsi8>
func.func @roi_resize(%y: tensor<1x64x64x1xui8, {dynamic_dims = [-2, -3]}>, %uv: tensor<1x32x32x2xui8, {dynamic_dims = [-2, -3]}>, %roi: tensor<1x4xsi32>) {
  %0 = bpu.roi_resize %roi of %y, %uv {expansionMode = "border", interpolateMode = "nearest", padValue = [16, 128], size = [6, 8]} : (tensor<1x4xsi32>, tensor<1x64x64x1xui8, {dynamic_dims = [-2, -3]}>, tensor<1x32x32x2xui8, {dynamic_dims = [-2, -3]}>) -> tensor<1x6x8x3xsi8>
  func.return
}

// -----

// CHECK-LABEL: func.func @gray
// CHECK:         bpu.roi_resize %roi of %y {mode = "GRAY", size = [5, 7]}
func.func @gray(%y: tensor<1x64x64x1xui8, {dynamic_dims = [-2, -3]}>, %roi: tensor<1x4xsi32>) {
  %0 = bpu.roi_resize %roi of %y {mode = "GRAY", size = [5, 7]} : (tensor<1x4xsi32>, tensor<1x64x64x1xui8, {dynamic_dims = [-2, -3]}>) -> tensor<1x5x7x1xsi8>
  func.return
}

// -----

// CHECK: error: bpu.roi_resize ({{.*}}): GRAY has 1 plane, got 2
func.func @f(%y: tensor<1x64x64x1xui8, {dynamic_dims = [-2, -3]}>, %uv: tensor<1x32x32x2xui8, {dynamic_dims = [-2, -3]}>, %roi: tensor<1x4xsi32>) {
  %0 = bpu.roi_resize %roi of %y, %uv {mode = "GRAY", size = [6, 8]} : (tensor<1x4xsi32>, tensor<1x64x64x1xui8, {dynamic_dims = [-2, -3]}>, tensor<1x32x32x2xui8, {dynamic_dims = [-2, -3]}>) -> tensor<1x6x8x3xsi8>
  func.return
}

// -----

// CHECK: error: bpu.roi_resize ({{.*}}): interpolateMode must be one of "bilinear", "nearest", got "cubic"
func.func @f(%y: tensor<1x64x64x1xui8, {dynamic_dims = [-2, -3]}>, %roi: tensor<1x4xsi32>) {
  %0 = bpu.roi_resize %roi of %y {interpolateMode = "cubic", mode = "GRAY", size = [5, 7]} : (tensor<1x4xsi32>, tensor<1x64x64x1xui8, {dynamic_dims = [-2, -3]}>) -> tensor<1x5x7x1xsi8>
  func.return
}

// -----

// CHECK: error: bpu.roi_resize ({{.*}}): a tile of 2x7 from [4, 0] must lie in 5x7
func.func @f(%y: tensor<1x64x64x1xui8, {dynamic_dims = [-2, -3]}>, %roi: tensor<1x4xsi32>) {
  %0 = bpu.roi_resize %roi of %y {mode = "GRAY", outOffset = [4, 0], outSize = [2, 7], size = [5, 7]} : (tensor<1x4xsi32>, tensor<1x64x64x1xui8, {dynamic_dims = [-2, -3]}>) -> tensor<1x2x7x1xsi8>
  func.return
}

// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Planes of a camera, and what becomes of their values.
// CHECK-LABEL: func.func @nv12
// GENERIC: "hbir.image_convert"(%y, %uv) <{mode = "NV12"}>
// CHECK: hbir.image_convert %y, %uv : (tensor<1x4x6x1xui8>, tensor<1x2x3x2xui8>) -> tensor<1x4x6x3xsi8>
// CHECK: hbir.image_preprocess %{{.*}} {csc = "yuvbt601full2rgb", divisor = 2.5{{.*}}, mean = [1.0{{.*}}, 2.0{{.*}}, 3.0{{.*}}]} : (tensor<1x4x6x3xf32>) -> tensor<1x4x6x3xf32>
func.func @nv12(%y: tensor<1x4x6x1xui8>, %uv: tensor<1x2x3x2xui8>) -> tensor<1x4x6x3xf32> {
  %0 = hbir.image_convert %y, %uv : (tensor<1x4x6x1xui8>, tensor<1x2x3x2xui8>) -> tensor<1x4x6x3xsi8>
  %1 = hbir.cast_type %0 : tensor<1x4x6x3xsi8> to tensor<1x4x6x3xf32>
  %2 = hbir.image_preprocess %1 {csc = "yuvbt601full2rgb", divisor = 2.5, mean = [1.0, 2.0, 3.0]} : (tensor<1x4x6x3xf32>) -> tensor<1x4x6x3xf32>
  func.return %2 : tensor<1x4x6x3xf32>
}

// CHECK-LABEL: func.func @gray
// CHECK: hbir.image_convert %y {mode = "GRAY"} : (tensor<1x4x6x1xui8>) -> tensor<1x4x6x1xsi8>
func.func @gray(%y: tensor<1x4x6x1xui8>) -> tensor<1x4x6x1xsi8> {
  %0 = hbir.image_convert %y {mode = "GRAY"} : (tensor<1x4x6x1xui8>) -> tensor<1x4x6x1xsi8>
  func.return %0 : tensor<1x4x6x1xsi8>
}

// A region of interest of an image whose height and width each run gives.
// CHECK-LABEL: func.func @roi
// CHECK-SAME: %y: tensor<1x8192x8192x1xui8, {dynamic_dims = [-2, -3]}>
// GENERIC: "hbir.roi_resize"(%y, %uv, %roi) <{size = [4, 6], mode = "NV12", interpolateMode = "bilinear", expansionMode = "constant", padValue = [0, -128]}>
// CHECK: hbir.roi_resize %y, %uv roi %roi {size = [4, 6]} : (tensor<1x8192x8192x1xui8, {dynamic_dims = [-2, -3]}>, tensor<1x4096x4096x2xui8, {dynamic_dims = [-2, -3]}>, tensor<1x4xsi32>) -> tensor<1x4x6x3xsi8>
func.func @roi(%y: tensor<1x8192x8192x1xui8, {dynamic_dims = [-2, -3]}>, %uv: tensor<1x4096x4096x2xui8, {dynamic_dims = [-2, -3]}>, %roi: tensor<1x4xsi32>) -> tensor<1x4x6x3xsi8> {
  %0 = hbir.roi_resize %y, %uv roi %roi {size = [4, 6]} : (tensor<1x8192x8192x1xui8, {dynamic_dims = [-2, -3]}>, tensor<1x4096x4096x2xui8, {dynamic_dims = [-2, -3]}>, tensor<1x4xsi32>) -> tensor<1x4x6x3xsi8>
  func.return %0 : tensor<1x4x6x3xsi8>
}

// CHECK-LABEL: func.func @gray_roi
// CHECK: hbir.roi_resize %y roi %roi {expansionMode = "border", interpolateMode = "nearest", mode = "GRAY", size = [3, 5]}
func.func @gray_roi(%y: tensor<1x99x640x1xui8, {dynamic_dims = [-2, -3]}>, %roi: tensor<1x4xsi32>) -> tensor<1x3x5x1xsi8> {
  %0 = hbir.roi_resize %y roi %roi {expansionMode = "border", interpolateMode = "nearest", mode = "GRAY", size = [3, 5]} : (tensor<1x99x640x1xui8, {dynamic_dims = [-2, -3]}>, tensor<1x4xsi32>) -> tensor<1x3x5x1xsi8>
  func.return %0 : tensor<1x3x5x1xsi8>
}

// RUN: hbir-opt %s -p place-ops,lower-to-bpu | filecheck %s

// The resizer reads the planes where they are; the planes of a fixed size are centred and joined.

// CHECK-LABEL: func.func @roi
// CHECK:         bpu.roi_resize %roi of %y, %uv {origin = #hbir.origin<"x">, size = [16, 16]} : (tensor<1x4xsi32>, {{.*}} -> tensor<1x16x16x3xsi8>
func.func @roi(%y: tensor<1x8192x8192x1xui8, {dynamic_dims = [-2, -3]}>, %uv: tensor<1x4096x4096x2xui8, {dynamic_dims = [-2, -3]}>, %roi: tensor<1x4xsi32>) -> tensor<1x16x16x3xsi8> {
  %0 = hbir.roi_resize %y, %uv roi %roi {origin = #hbir.origin<"x">, size = [16, 16]} : (tensor<1x8192x8192x1xui8, {dynamic_dims = [-2, -3]}>, tensor<1x4096x4096x2xui8, {dynamic_dims = [-2, -3]}>, tensor<1x4xsi32>) -> tensor<1x16x16x3xsi8>
  func.return %0 : tensor<1x16x16x3xsi8>
}

// Corner to corner needs two corners, of chroma too.
// CHECK-LABEL: func.func @too_small
// CHECK:         hbir.roi_resize
// CHECK-SAME:      placement = "cpu"
// CHECK-SAME:      this one is NV12 of 2x16
func.func @too_small(%y: tensor<1x8192x8192x1xui8, {dynamic_dims = [-2, -3]}>, %uv: tensor<1x4096x4096x2xui8, {dynamic_dims = [-2, -3]}>, %roi: tensor<1x4xsi32>) -> tensor<1x2x16x3xsi8> {
  %0 = hbir.roi_resize %y, %uv roi %roi {size = [2, 16]} : (tensor<1x8192x8192x1xui8, {dynamic_dims = [-2, -3]}>, tensor<1x4096x4096x2xui8, {dynamic_dims = [-2, -3]}>, tensor<1x4xsi32>) -> tensor<1x2x16x3xsi8>
  func.return %0 : tensor<1x2x16x3xsi8>
}

// CHECK-LABEL: func.func @convert
// CHECK-DAG:     bpu.rescale %y {inputZeroPoint = 128
// CHECK-DAG:     bpu.rescale %uv {inputZeroPoint = 128
// CHECK:         bpu.resize2d
// CHECK:         bpu.concat
func.func @convert(%y: tensor<1x4x6x1xui8>, %uv: tensor<1x2x3x2xui8>) -> tensor<1x4x6x3xsi8> {
  %0 = hbir.image_convert %y, %uv : (tensor<1x4x6x1xui8>, tensor<1x2x3x2xui8>) -> tensor<1x4x6x3xsi8>
  func.return %0 : tensor<1x4x6x3xsi8>
}

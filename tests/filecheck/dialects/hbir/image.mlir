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

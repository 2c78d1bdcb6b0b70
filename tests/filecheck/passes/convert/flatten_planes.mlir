// RUN: hbir-opt %s -p flatten-planes | filecheck %s

// Planes of an image, one and two bytes a pixel, are shifted by rows.

// CHECK-LABEL: func.func @planes
// CHECK: %[[R:.*]] = bpu.reshape %y {shape = [1, 6, 1, 8]} : {{.*}} -> tensor<1x6x1x8xui8>
// CHECK-NEXT: %[[S:.*]] = bpu.rescale %[[R]] {{.*}}inputZeroPoint = 128{{.*}} -> tensor<1x6x1x8xsi8>
// CHECK-NEXT: %[[Y:.*]] = bpu.reshape %[[S]] {{.*}}shape = [1, 6, 8, 1]} : {{.*}} -> tensor<1x6x8x1xsi8>
// CHECK-NEXT: bpu.reshape %uv {shape = [1, 3, 1, 8]}
// CHECK: func.return %[[Y]],
func.func @planes(%y: tensor<1x6x8x1xui8>, %uv: tensor<1x3x4x2xui8>) -> (tensor<1x6x8x1xsi8>, tensor<1x3x4x2xsi8>) {
  %a = bpu.rescale %y {multiplier = 16384, shift = 14, inputZeroPoint = 128} : (tensor<1x6x8x1xui8>) -> tensor<1x6x8x1xsi8>
  %b = bpu.rescale %uv {multiplier = 16384, shift = 14, inputZeroPoint = 128} : (tensor<1x3x4x2xui8>) -> tensor<1x3x4x2xsi8>
  func.return %a, %b : tensor<1x6x8x1xsi8>, tensor<1x3x4x2xsi8>
}

// Many channels fill the lanes; what was computed before lies on chip, where another shape isn't free.

// CHECK-LABEL: func.func @others
// CHECK-NOT: bpu.reshape
func.func @others(%x: tensor<1x6x8x16xsi8>, %z: tensor<1x6x8x1xsi8>) -> (tensor<1x6x8x16xsi8>, tensor<1x6x8x1xsi8>) {
  %a = bpu.rescale %x {multiplier = 16384, shift = 15} : (tensor<1x6x8x16xsi8>) -> tensor<1x6x8x16xsi8>
  %b = bpu.add %z, %z {multipliers = [16384, 16384], shift = 15} : (tensor<1x6x8x1xsi8>, tensor<1x6x8x1xsi8>) -> tensor<1x6x8x1xsi8>
  %c = bpu.rescale %b {multiplier = 16384, shift = 15} : (tensor<1x6x8x1xsi8>) -> tensor<1x6x8x1xsi8>
  func.return %a, %c : tensor<1x6x8x16xsi8>, tensor<1x6x8x1xsi8>
}

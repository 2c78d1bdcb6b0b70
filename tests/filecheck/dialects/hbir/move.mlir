// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Ops that only move elements, on any element type.

// CHECK-LABEL: func.func @concat
// CHECK:         hbir.concat %{{.*}}, %{{.*}} {dim = 1 : i64} : (tensor<1x4x3xsi8>, tensor<1x2x3xsi8>) -> tensor<1x6x3xsi8>
// CHECK:         hbir.concat %{{.*}} {dim = -1 : i64} : (tensor<1x4x3xsi8>) -> tensor<1x4x3xsi8>
func.func @concat(%x: tensor<1x4x3xsi8>, %y: tensor<1x2x3xsi8>) -> tensor<1x4x3xsi8> {
  %0 = hbir.concat %x, %y {dim = 1 : i64} : (tensor<1x4x3xsi8>, tensor<1x2x3xsi8>) -> tensor<1x6x3xsi8>
  %1 = hbir.concat %x {dim = -1 : i64} : (tensor<1x4x3xsi8>) -> tensor<1x4x3xsi8>
  func.return %1 : tensor<1x4x3xsi8>
}

// CHECK-LABEL: func.func @slice
// CHECK:         hbir.slice %{{.*}} {begin = [1, 0], end = [4, 9]} : (tensor<4x9xf32>) -> tensor<3x9xf32>
// CHECK:         hbir.slice %{{.*}} {begin = [0, 2], end = [4, 9], step = [2, 3]} : (tensor<4x9xf32>) -> tensor<2x3xf32>
// GENERIC-LABEL: sym_name = "slice"
// GENERIC:       "hbir.slice"(%x) <{begin = [1, 0], end = [4, 9]}>
func.func @slice(%x: tensor<4x9xf32>) -> tensor<2x3xf32> {
  %0 = hbir.slice %x {begin = [1, 0], end = [4, 9]} : (tensor<4x9xf32>) -> tensor<3x9xf32>
  %1 = hbir.slice %x {begin = [0, 2], end = [4, 9], step = [2, 3]} : (tensor<4x9xf32>) -> tensor<2x3xf32>
  func.return %1 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @reshape
// CHECK:         hbir.reshape %{{.*}} {shape = [2, 18]} : (tensor<4x9xsi64>) -> tensor<2x18xsi64>
func.func @reshape(%x: tensor<4x9xsi64>) -> tensor<2x18xsi64> {
  %0 = hbir.reshape %x {shape = [2, 18]} : (tensor<4x9xsi64>) -> tensor<2x18xsi64>
  func.return %0 : tensor<2x18xsi64>
}

// CHECK-LABEL: func.func @transpose
// CHECK:         hbir.transpose %{{.*}} {dims = [2, 0, 1]} : (tensor<2x3x4xui8>) -> tensor<4x2x3xui8>
func.func @transpose(%x: tensor<2x3x4xui8>) -> tensor<4x2x3xui8> {
  %0 = hbir.transpose %x {dims = [2, 0, 1]} : (tensor<2x3x4xui8>) -> tensor<4x2x3xui8>
  func.return %0 : tensor<4x2x3xui8>
}

// CHECK-LABEL: func.func @pad
// CHECK:         hbir.pad %{{.*}} {begin = [0, 1], end = [2, 3]} : (tensor<2x3xf32>) -> tensor<4x7xf32>
// CHECK:         hbir.pad %{{.*}} {begin = [0, 1], end = [2, 3], padValue = -1.000000e+00 : f64} : (tensor<2x3xf32>) -> tensor<4x7xf32>
func.func @pad(%x: tensor<2x3xf32>) -> tensor<4x7xf32> {
  %0 = hbir.pad %x {begin = [0, 1], end = [2, 3]} : (tensor<2x3xf32>) -> tensor<4x7xf32>
  %1 = hbir.pad %x {begin = [0, 1], end = [2, 3], padValue = -1.0} : (tensor<2x3xf32>) -> tensor<4x7xf32>
  func.return %1 : tensor<4x7xf32>
}

// CHECK-LABEL: func.func @tile
// CHECK:         hbir.tile %x {multiplies = [3, 1, 2]} : (tensor<1x4x2xf32>) -> tensor<3x4x4xf32>
func.func @tile(%x: tensor<1x4x2xf32>) {
  %0 = hbir.tile %x {multiplies = [3, 1, 2]} : (tensor<1x4x2xf32>) -> tensor<3x4x4xf32>
  func.return
}

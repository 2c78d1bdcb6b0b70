// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Element-wise ops of two tensors, broadcasting.

// CHECK-LABEL: func.func @binary
// CHECK:         hbir.add %{{.*}}, %{{.*}} : (tensor<1x4x5x3xf32>, tensor<3xf32>) -> tensor<1x4x5x3xf32>
// CHECK:         hbir.sub %{{.*}}, %{{.*}} : (tensor<1x4x5x3xf32>, tensor<3xf32>) -> tensor<1x4x5x3xf32>
// CHECK:         hbir.mul %{{.*}}, %{{.*}} : (tensor<1x4x5x3xf32>, tensor<3xf32>) -> tensor<1x4x5x3xf32>
// CHECK:         hbir.div %{{.*}}, %{{.*}} : (tensor<1x4x5x3xf32>, tensor<3xf32>) -> tensor<1x4x5x3xf32>
// CHECK:         hbir.max %{{.*}}, %{{.*}} : (tensor<1x4x5x3xf32>, tensor<3xf32>) -> tensor<1x4x5x3xf32>
// CHECK:         hbir.min %{{.*}}, %{{.*}} : (tensor<1x4x5x3xf32>, tensor<3xf32>) -> tensor<1x4x5x3xf32>
// GENERIC-LABEL: sym_name = "binary"
// GENERIC:       "hbir.add"(%x, %y) : (tensor<1x4x5x3xf32>, tensor<3xf32>)
func.func @binary(%x: tensor<1x4x5x3xf32>, %y: tensor<3xf32>) -> tensor<1x4x5x3xf32> {
  %0 = hbir.add %x, %y : (tensor<1x4x5x3xf32>, tensor<3xf32>) -> tensor<1x4x5x3xf32>
  %1 = hbir.sub %x, %y : (tensor<1x4x5x3xf32>, tensor<3xf32>) -> tensor<1x4x5x3xf32>
  %2 = hbir.mul %x, %y : (tensor<1x4x5x3xf32>, tensor<3xf32>) -> tensor<1x4x5x3xf32>
  %3 = hbir.div %x, %y : (tensor<1x4x5x3xf32>, tensor<3xf32>) -> tensor<1x4x5x3xf32>
  %4 = hbir.max %x, %y : (tensor<1x4x5x3xf32>, tensor<3xf32>) -> tensor<1x4x5x3xf32>
  %5 = hbir.min %x, %y : (tensor<1x4x5x3xf32>, tensor<3xf32>) -> tensor<1x4x5x3xf32>
  func.return %5 : tensor<1x4x5x3xf32>
}

// CHECK-LABEL: func.func @both_sides
// CHECK:         hbir.add %{{.*}}, %{{.*}} : (tensor<4x1xf32>, tensor<2x1x3xf32>) -> tensor<2x4x3xf32>
func.func @both_sides(%x: tensor<4x1xf32>, %y: tensor<2x1x3xf32>) -> tensor<2x4x3xf32> {
  %0 = hbir.add %x, %y : (tensor<4x1xf32>, tensor<2x1x3xf32>) -> tensor<2x4x3xf32>
  func.return %0 : tensor<2x4x3xf32>
}

// CHECK-LABEL: func.func @power_and_remainder
// CHECK:         hbir.pow %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
// CHECK:         hbir.mod %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
// CHECK:         hbir.mod %x, %y {sameSignAsDividend = false}
func.func @power_and_remainder(%x: tensor<2x3xf32>, %y: tensor<3xf32>) {
  %0 = hbir.pow %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %1 = hbir.mod %x, %y {sameSignAsDividend = true} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %2 = hbir.mod %x, %y {sameSignAsDividend = false} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  func.return
}

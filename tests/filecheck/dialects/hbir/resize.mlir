// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Resizing of H and W.

// CHECK-LABEL: func.func @resize2d
// CHECK:         hbir.resize2d %{{.*}} {size = [8, 10], step = [0.5, 0.5]} : (tensor<1x4x5x3xf32>) -> tensor<1x8x10x3xf32>
// CHECK:         hbir.resize2d %{{.*}} {size = [2, 10], step = [2.0, 0.5], initialOffset = [0.5, -0.25], mode = "bilinear"} : (tensor<1x4x5x3xf32>) -> tensor<1x2x10x3xf32>
// CHECK:         hbir.resize2d %{{.*}} {size = [8, 10], step = [0.5, 0.5], nearestMode = "floor"} : (tensor<1x4x5x3xf32>) -> tensor<1x8x10x3xf32>
// GENERIC-LABEL: sym_name = "resize2d"
// GENERIC:       "hbir.resize2d"(%x) <{size = [8, 10], step = [0.5, 0.5], initialOffset = [0.0, 0.0], mode = "nearest", nearestMode = "round_prefer_floor"}>
func.func @resize2d(%x: tensor<1x4x5x3xf32>) -> tensor<1x8x10x3xf32> {
  %0 = hbir.resize2d %x {size = [8, 10], step = [0.5, 0.5]} : (tensor<1x4x5x3xf32>) -> tensor<1x8x10x3xf32>
  %1 = hbir.resize2d %x {size = [2, 10], step = [2.0, 0.5], initialOffset = [0.5, -0.25], mode = "bilinear"} : (tensor<1x4x5x3xf32>) -> tensor<1x2x10x3xf32>
  %2 = hbir.resize2d %x {size = [8, 10], step = [0.5, 0.5], nearestMode = "floor"} : (tensor<1x4x5x3xf32>) -> tensor<1x8x10x3xf32>
  func.return %2 : tensor<1x8x10x3xf32>
}

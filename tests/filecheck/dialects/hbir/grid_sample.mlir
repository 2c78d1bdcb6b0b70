// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Sampling of an image at positions that are data.

// CHECK-LABEL: func.func @grid_sample
// CHECK:         hbir.grid_sample %{{.*}}, %{{.*}} : (tensor<2x6x5x3xf32>, tensor<2x4x7x2xf32>) -> tensor<2x4x7x3xf32>
// CHECK:         hbir.grid_sample %{{.*}}, %{{.*}} {alignCorner = true, expansionMode = "border", mode = "nearest"} : (tensor<2x6x5x3xf32>, tensor<2x4x7x2xf32>) -> tensor<2x4x7x3xf32>
// GENERIC-LABEL: sym_name = "grid_sample"
// GENERIC:       "hbir.grid_sample"(%x, %g) <{mode = "bilinear", expansionMode = "constant", alignCorner = false, padValue = 0.000000e+00 : f64}>
func.func @grid_sample(%x: tensor<2x6x5x3xf32>, %g: tensor<2x4x7x2xf32>) {
  %0 = hbir.grid_sample %x, %g : (tensor<2x6x5x3xf32>, tensor<2x4x7x2xf32>) -> tensor<2x4x7x3xf32>
  %1 = hbir.grid_sample %x, %g {alignCorner = true, expansionMode = "border", mode = "nearest"} : (tensor<2x6x5x3xf32>, tensor<2x4x7x2xf32>) -> tensor<2x4x7x3xf32>
  func.return
}

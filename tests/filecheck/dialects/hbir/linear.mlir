// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Matrix products.

// CHECK-LABEL: func.func @linear
// CHECK:         hbir.linear %{{.*}}, %{{.*}} : (tensor<2x5x3xf32>, tensor<3x4xf32>) -> tensor<2x5x4xf32>
// CHECK:         hbir.linear %{{.*}}, %{{.*}}, %{{.*}} : (tensor<2x5x3xf32>, tensor<3x4xf32>, tensor<4xf32>) -> tensor<2x5x4xf32>
// GENERIC-LABEL: sym_name = "linear"
// GENERIC:       "hbir.linear"(%x, %w) : (tensor<2x5x3xf32>, tensor<3x4xf32>)
func.func @linear(%x: tensor<2x5x3xf32>, %w: tensor<3x4xf32>, %b: tensor<4xf32>) -> tensor<2x5x4xf32> {
  %0 = hbir.linear %x, %w : (tensor<2x5x3xf32>, tensor<3x4xf32>) -> tensor<2x5x4xf32>
  %1 = hbir.linear %x, %w, %b : (tensor<2x5x3xf32>, tensor<3x4xf32>, tensor<4xf32>) -> tensor<2x5x4xf32>
  func.return %1 : tensor<2x5x4xf32>
}

// CHECK-LABEL: func.func @matmul
// CHECK:         hbir.matmul %{{.*}}, %{{.*}} : (tensor<7x1x5x3xf32>, tensor<2x3x4xf32>) -> tensor<7x2x5x4xf32>
func.func @matmul(%x: tensor<7x1x5x3xf32>, %y: tensor<2x3x4xf32>) -> tensor<7x2x5x4xf32> {
  %0 = hbir.matmul %x, %y : (tensor<7x1x5x3xf32>, tensor<2x3x4xf32>) -> tensor<7x2x5x4xf32>
  func.return %0 : tensor<7x2x5x4xf32>
}

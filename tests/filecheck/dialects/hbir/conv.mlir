// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Convolution and its transpose: round trips with and without bias, defaults left out.

// CHECK-LABEL: func.func @plain
// CHECK:         hbir.conv2d %{{.*}}, %{{.*}} : (tensor<1x8x8x4xf32>, tensor<6x3x3x4xf32>) -> tensor<1x6x6x6xf32>
// GENERIC-LABEL: sym_name = "plain"
// GENERIC:       "hbir.conv2d"(%x, %w) <{
func.func @plain(%x: tensor<1x8x8x4xf32>, %w: tensor<6x3x3x4xf32>) -> tensor<1x6x6x6xf32> {
  %0 = hbir.conv2d %x, %w {stride = [1, 1]} : (tensor<1x8x8x4xf32>, tensor<6x3x3x4xf32>) -> tensor<1x6x6x6xf32>
  func.return %0 : tensor<1x6x6x6xf32>
}

// CHECK-LABEL: func.func @grouped
// CHECK:         hbir.conv2d %{{.*}}, %{{.*}}, %{{.*}} {stride = [2, 1], pad = [1, 2, 0, 1], dilation = [1, 2], groupNum = 2 : i64} : (tensor<2x9x8x4xf32>, tensor<6x3x3x2xf32>, tensor<6xf32>) -> tensor<2x4x7x6xf32>
func.func @grouped(%x: tensor<2x9x8x4xf32>, %w: tensor<6x3x3x2xf32>, %b: tensor<6xf32>) -> tensor<2x4x7x6xf32> {
  %0 = hbir.conv2d %x, %w, %b {stride = [2, 1], pad = [1, 2, 0, 1], dilation = [1, 2], groupNum = 2 : i64} : (tensor<2x9x8x4xf32>, tensor<6x3x3x2xf32>, tensor<6xf32>) -> tensor<2x4x7x6xf32>
  func.return %0 : tensor<2x4x7x6xf32>
}

// CHECK-LABEL: func.func @cropped
// CHECK:         hbir.conv2d %{{.*}}, %{{.*}} {pad = [-1, -2, 0, 1]} : (tensor<1x8x8x4xf32>, tensor<6x1x1x4xf32>) -> tensor<1x7x7x6xf32>
func.func @cropped(%x: tensor<1x8x8x4xf32>, %w: tensor<6x1x1x4xf32>) -> tensor<1x7x7x6xf32> {
  %0 = hbir.conv2d %x, %w {pad = [-1, -2, 0, 1]} : (tensor<1x8x8x4xf32>, tensor<6x1x1x4xf32>) -> tensor<1x7x7x6xf32>
  func.return %0 : tensor<1x7x7x6xf32>
}

// CHECK-LABEL: func.func @transposed
// CHECK:         hbir.convtranspose %{{.*}}, %{{.*}}, %{{.*}} {stride = [2, 2], pad = [1, 1, 0, 0], groupNum = 2 : i64} : (tensor<1x4x5x6xf32>, tensor<6x3x3x2xf32>, tensor<4xf32>) -> tensor<1x8x10x4xf32>
func.func @transposed(%x: tensor<1x4x5x6xf32>, %w: tensor<6x3x3x2xf32>, %b: tensor<4xf32>) -> tensor<1x8x10x4xf32> {
  %0 = hbir.convtranspose %x, %w, %b {stride = [2, 2], pad = [1, 1, 0, 0], groupNum = 2 : i64} : (tensor<1x4x5x6xf32>, tensor<6x3x3x2xf32>, tensor<4xf32>) -> tensor<1x8x10x4xf32>
  func.return %0 : tensor<1x8x10x4xf32>
}

// CHECK-LABEL: func.func @output_padding
// CHECK:         hbir.convtranspose %{{.*}}, %{{.*}} {stride = [3, 3], pad = [0, 0, -1, -2]} : (tensor<1x4x5x6xf32>, tensor<6x2x2x2xf32>) -> tensor<1x12x16x2xf32>
func.func @output_padding(%x: tensor<1x4x5x6xf32>, %w: tensor<6x2x2x2xf32>) -> tensor<1x12x16x2xf32> {
  %0 = hbir.convtranspose %x, %w {stride = [3, 3], pad = [0, 0, -1, -2]} : (tensor<1x4x5x6xf32>, tensor<6x2x2x2xf32>) -> tensor<1x12x16x2xf32>
  func.return %0 : tensor<1x12x16x2xf32>
}

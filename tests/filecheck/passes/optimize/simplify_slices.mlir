// RUN: hbir-opt %s -p simplify-slices,dead-code-elimination | filecheck %s

// A slice of a slice: positions 1, 4, 7, 10 of x, then of these the second and the fourth.

// CHECK-LABEL: func.func @of_a_slice
// CHECK-NEXT: hbir.slice %x {begin = [4], end = [11], step = [6]} : (tensor<12xf32>) -> tensor<2xf32>
func.func @of_a_slice(%x: tensor<12xf32>) -> tensor<2xf32> {
  %0 = hbir.slice %x {begin = [1], end = [12], step = [3]} : (tensor<12xf32>) -> tensor<4xf32>
  %1 = hbir.slice %0 {begin = [1], end = [4], step = [2]} : (tensor<4xf32>) -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

// A slice of a concatenation is that of an operand, or the operand itself.

// CHECK-LABEL: func.func @of_a_concat
// CHECK-NEXT: %[[S:.*]] = hbir.slice %y {begin = [1, 0], end = [3, 2], step = [1, 1]}
// CHECK-NEXT: func.return %[[S]], %y
func.func @of_a_concat(%x: tensor<2x2xf32>, %y: tensor<3x2xf32>) -> (tensor<2x2xf32>, tensor<3x2xf32>) {
  %0 = hbir.concat %x, %y {dim = 0} : (tensor<2x2xf32>, tensor<3x2xf32>) -> tensor<5x2xf32>
  %1 = hbir.slice %0 {begin = [3, 0], end = [5, 2]} : (tensor<5x2xf32>) -> tensor<2x2xf32>
  %2 = hbir.slice %0 {begin = [2, 0], end = [5, 2]} : (tensor<5x2xf32>) -> tensor<3x2xf32>
  func.return %1, %2 : tensor<2x2xf32>, tensor<3x2xf32>
}

// One that reads several operands stays.

// CHECK-LABEL: func.func @across
// CHECK: hbir.concat
// CHECK-NEXT: hbir.slice
func.func @across(%x: tensor<2xf32>, %y: tensor<3xf32>) -> tensor<2xf32> {
  %0 = hbir.concat %x, %y {dim = 0} : (tensor<2xf32>, tensor<3xf32>) -> tensor<5xf32>
  %1 = hbir.slice %0 {begin = [1], end = [3]} : (tensor<5xf32>) -> tensor<2xf32>
  func.return %1 : tensor<2xf32>
}

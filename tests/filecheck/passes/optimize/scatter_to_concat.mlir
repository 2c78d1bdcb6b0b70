// RUN: hbir-opt %s -p scatter-to-concat,dead-code-elimination | filecheck %s

// Columns 1 and 2 of both rows, each named by its indices.

// CHECK-LABEL: func.func @columns
// CHECK-NEXT: %[[U:.*]] = hbir.reshape %u {shape = [2, 2]}
// CHECK-NEXT: %[[A:.*]] = hbir.slice %x {begin = [0, 0], end = [2, 1]}
// CHECK-NEXT: %[[B:.*]] = hbir.slice %x {begin = [0, 3], end = [2, 4]}
// CHECK-NEXT: hbir.concat %[[A]], %[[U]], %[[B]] {dim = 1 : i64}
func.func @columns(%x: tensor<2x4xf32>, %u: tensor<4xf32>) -> tensor<2x4xf32> {
  %i = hbir.constant dense<[[0, 1], [0, 2], [1, -3], [1, -2]]> : tensor<4x2xsi64>
  %0 = hbir.scatter_nd %x, %i, %u : (tensor<2x4xf32>, tensor<4x2xsi64>, tensor<4xf32>) -> tensor<2x4xf32>
  func.return %0 : tensor<2x4xf32>
}

// The first row; and everything.

// CHECK-LABEL: func.func @rows
// CHECK-NEXT: %[[U:.*]] = hbir.reshape %u {shape = [1, 4]}
// CHECK-NEXT: %[[A:.*]] = hbir.slice %x {begin = [1, 0], end = [2, 4]}
// CHECK-NEXT: hbir.concat %[[U]], %[[A]] {dim = 0 : i64}
// CHECK-NEXT: hbir.reshape %v {shape = [2, 4]}
func.func @rows(%x: tensor<2x4xf32>, %u: tensor<1x4xf32>, %v: tensor<2x4xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %i = hbir.constant dense<[[0]]> : tensor<1x1xsi64>
  %0 = hbir.scatter_nd %x, %i, %u : (tensor<2x4xf32>, tensor<1x1xsi64>, tensor<1x4xf32>) -> tensor<2x4xf32>
  %j = hbir.constant dense<[[0], [1]]> : tensor<2x1xsi64>
  %1 = hbir.scatter_nd %x, %j, %v : (tensor<2x4xf32>, tensor<2x1xsi64>, tensor<2x4xf32>) -> tensor<2x4xf32>
  func.return %0, %1 : tensor<2x4xf32>, tensor<2x4xf32>
}

// Rows in another order, a corner of two axes, and a sum stay.

// CHECK-LABEL: func.func @stay
// CHECK: hbir.scatter_nd
// CHECK: hbir.scatter_nd
// CHECK: hbir.scatter_nd
func.func @stay(%x: tensor<2x4xf32>, %u: tensor<2x4xf32>, %v: tensor<1xf32>) -> (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) {
  %i = hbir.constant dense<[[1], [0]]> : tensor<2x1xsi64>
  %0 = hbir.scatter_nd %x, %i, %u : (tensor<2x4xf32>, tensor<2x1xsi64>, tensor<2x4xf32>) -> tensor<2x4xf32>
  %j = hbir.constant dense<[[1, 1]]> : tensor<1x2xsi64>
  %1 = hbir.scatter_nd %x, %j, %v : (tensor<2x4xf32>, tensor<1x2xsi64>, tensor<1xf32>) -> tensor<2x4xf32>
  %k = hbir.constant dense<[[0], [1]]> : tensor<2x1xsi64>
  %2 = hbir.scatter_nd %x, %k, %u {scatterReduceMode = "add"} : (tensor<2x4xf32>, tensor<2x1xsi64>, tensor<2x4xf32>) -> tensor<2x4xf32>
  func.return %0, %1, %2 : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>
}

// RUN: hbir-opt %s -p index-to-slice,dead-code-elimination | filecheck %s

// Evenly spaced indices are one slice; negative ones count from the end.

// CHECK-LABEL: func.func @even
// CHECK-NEXT: %[[S:.*]] = hbir.slice %x {begin = [0, 2], end = [3, 9], step = [1, 3]} : (tensor<3x9xf32>) -> tensor<3x3xf32>
// CHECK-NEXT: hbir.reshape %[[S]] {shape = [3, 3]}
func.func @even(%x: tensor<3x9xf32>) -> tensor<3x3xf32> {
  %i = hbir.constant dense<[2, 5, -1]> : tensor<3xsi64>
  %0 = hbir.index %x, %i {dim = 1} : (tensor<3x9xf32>, tensor<3xsi64>) -> tensor<3x3xf32>
  func.return %0 : tensor<3x3xf32>
}

// A single index drops its axis.

// CHECK-LABEL: func.func @one
// CHECK-NEXT: %[[S:.*]] = hbir.slice %x {begin = [2, 0], end = [3, 9], step = [1, 1]}
// CHECK-NEXT: hbir.reshape %[[S]] {shape = [9]}
func.func @one(%x: tensor<3x9xf32>) -> tensor<9xf32> {
  %i = hbir.constant dense<-1> : tensor<si64>
  %0 = hbir.index %x, %i : (tensor<3x9xf32>, tensor<si64>) -> tensor<9xf32>
  func.return %0 : tensor<9xf32>
}

// A few runs are joined; their order stays, and the shape is that of the indices.

// CHECK-LABEL: func.func @runs
// CHECK-NEXT: %[[A:.*]] = hbir.slice %x {begin = [4], end = [6], step = [1]}
// CHECK-NEXT: %[[B:.*]] = hbir.slice %x {begin = [0], end = [2], step = [1]}
// CHECK-NEXT: %[[C:.*]] = hbir.concat %[[A]], %[[B]] {dim = 0 : i64}
// CHECK-NEXT: hbir.reshape %[[C]] {shape = [2, 2]}
func.func @runs(%x: tensor<6xf32>) -> tensor<2x2xf32> {
  %i = hbir.constant dense<[[4, 5], [0, 1]]> : tensor<2x2xsi64>
  %0 = hbir.index %x, %i : (tensor<6xf32>, tensor<2x2xsi64>) -> tensor<2x2xf32>
  func.return %0 : tensor<2x2xf32>
}

// Many runs stay a gather, and so do indices that are computed.

// CHECK-LABEL: func.func @stays
// CHECK: hbir.index
// CHECK: hbir.index
func.func @stays(%x: tensor<10xf32>, %j: tensor<2xsi64>) -> (tensor<9xf32>, tensor<2xf32>) {
  %i = hbir.constant dense<[9, 8, 7, 6, 5, 4, 3, 2, 1]> : tensor<9xsi64>
  %0 = hbir.index %x, %i : (tensor<10xf32>, tensor<9xsi64>) -> tensor<9xf32>
  %1 = hbir.index %x, %j : (tensor<10xf32>, tensor<2xsi64>) -> tensor<2xf32>
  func.return %0, %1 : tensor<9xf32>, tensor<2xf32>
}

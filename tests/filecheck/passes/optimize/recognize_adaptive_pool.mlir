// RUN: hbir-opt %s -p recognize-adaptive-pool,dead-code-elimination,eliminate-identities | filecheck %s

// Three columns in two windows of two, as torch's exporter to ONNX writes it: all elements of all
// windows gathered, and their mean.

// CHECK-LABEL: func.func @overlapping
// CHECK-NEXT:    %[[A:.*]] = hbir.slice %x {begin = [0, 0, 0, 0], end = [1, 1, 2, 2]}
// CHECK-NEXT:    %[[B:.*]] = hbir.reduce_mean %[[A]] {dims = [2]}
// CHECK-NEXT:    %[[C:.*]] = hbir.slice %x {begin = [0, 0, 1, 0], end = [1, 1, 3, 2]}
// CHECK-NEXT:    %[[D:.*]] = hbir.reduce_mean %[[C]] {dims = [2]}
// CHECK-NEXT:    %[[E:.*]] = hbir.concat %[[B]], %[[D]] {dim = 2 : i64}
// CHECK-NEXT:    func.return %[[E]]
func.func @overlapping(%x: tensor<1x1x3x2xf32>) -> tensor<1x1x2x2xf32> {
  %columns = hbir.constant dense<[[[0], [1]], [[1], [2]]]> : tensor<2x2x1xsi64>
  %first = hbir.transpose %x {dims = [2, 0, 1, 3]} : (tensor<1x1x3x2xf32>) -> tensor<3x1x1x2xf32>
  %all = hbir.gather_nd %first, %columns : (tensor<3x1x1x2xf32>, tensor<2x2x1xsi64>) -> tensor<2x2x1x1x2xf32>
  %means = hbir.reduce_mean %all {dims = [1], keepDim = false} : (tensor<2x2x1x1x2xf32>) -> tensor<2x1x1x2xf32>
  %y = hbir.transpose %means {dims = [1, 2, 0, 3]} : (tensor<2x1x1x2xf32>) -> tensor<1x1x2x2xf32>
  func.return %y : tensor<1x1x2x2xf32>
}

// Four columns in windows of two, three and one: what a smaller one lacks is masked, and the sum of
// the elements divided by their count.

// CHECK-LABEL: func.func @unequal
// CHECK-NEXT:    %[[A:.*]] = hbir.slice %x {begin = [0, 0, 0, 0], end = [1, 1, 2, 2]}
// CHECK-NEXT:    %[[B:.*]] = hbir.reduce_mean %[[A]] {dims = [2]}
// CHECK-NEXT:    %[[C:.*]] = hbir.slice %x {begin = [0, 0, 1, 0], end = [1, 1, 4, 2]}
// CHECK-NEXT:    %[[D:.*]] = hbir.reduce_mean %[[C]] {dims = [2]}
// CHECK-NEXT:    %[[E:.*]] = hbir.slice %x {begin = [0, 0, 3, 0], end = [1, 1, 4, 2]}
// CHECK-NEXT:    %[[G:.*]] = hbir.concat %[[B]], %[[D]], %[[E]] {dim = 2 : i64}
// CHECK-NEXT:    func.return %[[G]]
func.func @unequal(%x: tensor<1x1x4x2xf32>) -> tensor<1x1x3x2xf32> {
  %columns = hbir.constant dense<[[[0], [1], [1]], [[1], [2], [3]], [[3], [3], [3]]]> : tensor<3x3x1xsi64>
  %mask = hbir.constant dense<[[[[[false]]], [[[false]]], [[[true]]]], [[[[false]]], [[[false]]], [[[false]]]], [[[[false]]], [[[true]]], [[[true]]]]]> : tensor<3x3x1x1x1xi1>
  %zero = hbir.constant dense<0.0> : tensor<f32>
  %counts = hbir.constant dense<[[2.0], [3.0], [1.0]]> : tensor<3x1xf32>
  %first = hbir.transpose %x {dims = [2, 0, 1, 3]} : (tensor<1x1x4x2xf32>) -> tensor<4x1x1x2xf32>
  %all = hbir.gather_nd %first, %columns : (tensor<4x1x1x2xf32>, tensor<3x3x1xsi64>) -> tensor<3x3x1x1x2xf32>
  %masked = hbir.where %mask, %zero, %all : (tensor<3x3x1x1x1xi1>, tensor<f32>, tensor<3x3x1x1x2xf32>) -> tensor<3x3x1x1x2xf32>
  %s0 = hbir.slice %masked {begin = [0, 0, 0, 0, 0], end = [3, 1, 1, 1, 2]} : (tensor<3x3x1x1x2xf32>) -> tensor<3x1x1x1x2xf32>
  %e0 = hbir.reshape %s0 {shape = [1, 1, 3, 2]} : (tensor<3x1x1x1x2xf32>) -> tensor<1x1x3x2xf32>
  %s1 = hbir.slice %masked {begin = [0, 1, 0, 0, 0], end = [3, 2, 1, 1, 2]} : (tensor<3x3x1x1x2xf32>) -> tensor<3x1x1x1x2xf32>
  %e1 = hbir.reshape %s1 {shape = [1, 1, 3, 2]} : (tensor<3x1x1x1x2xf32>) -> tensor<1x1x3x2xf32>
  %s2 = hbir.slice %masked {begin = [0, 2, 0, 0, 0], end = [3, 3, 1, 1, 2]} : (tensor<3x3x1x1x2xf32>) -> tensor<3x1x1x1x2xf32>
  %e2 = hbir.reshape %s2 {shape = [1, 1, 3, 2]} : (tensor<3x1x1x1x2xf32>) -> tensor<1x1x3x2xf32>
  %a = hbir.add %e0, %e1 : (tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) -> tensor<1x1x3x2xf32>
  %b = hbir.add %a, %e2 : (tensor<1x1x3x2xf32>, tensor<1x1x3x2xf32>) -> tensor<1x1x3x2xf32>
  %y = hbir.div %b, %counts : (tensor<1x1x3x2xf32>, tensor<3x1xf32>) -> tensor<1x1x3x2xf32>
  func.return %y : tensor<1x1x3x2xf32>
}

// Another divisor than the count, and elements that make no window, are no means.

// CHECK-LABEL: func.func @no_mean
// CHECK:         hbir.div
func.func @no_mean(%x: tensor<3x1xf32>) -> tensor<2x1xf32> {
  %rows = hbir.constant dense<[[[0], [1]], [[1], [2]]]> : tensor<2x2x1xsi64>
  %three = hbir.constant dense<3.0> : tensor<f32>
  %all = hbir.gather_nd %x, %rows : (tensor<3x1xf32>, tensor<2x2x1xsi64>) -> tensor<2x2x1xf32>
  %s0 = hbir.slice %all {begin = [0, 0, 0], end = [2, 1, 1]} : (tensor<2x2x1xf32>) -> tensor<2x1x1xf32>
  %e0 = hbir.reshape %s0 {shape = [2, 1]} : (tensor<2x1x1xf32>) -> tensor<2x1xf32>
  %s1 = hbir.slice %all {begin = [0, 1, 0], end = [2, 2, 1]} : (tensor<2x2x1xf32>) -> tensor<2x1x1xf32>
  %e1 = hbir.reshape %s1 {shape = [2, 1]} : (tensor<2x1x1xf32>) -> tensor<2x1xf32>
  %a = hbir.add %e0, %e1 : (tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  %y = hbir.div %a, %three : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  func.return %y : tensor<2x1xf32>
}

// CHECK-LABEL: func.func @no_window
// CHECK:         hbir.gather_nd
// CHECK-NEXT:    hbir.reduce_mean
func.func @no_window(%x: tensor<3x1xf32>) -> tensor<2x1xf32> {
  %rows = hbir.constant dense<[[[0], [2]], [[0], [1]]]> : tensor<2x2x1xsi64>
  %all = hbir.gather_nd %x, %rows : (tensor<3x1xf32>, tensor<2x2x1xsi64>) -> tensor<2x2x1xf32>
  %y = hbir.reduce_mean %all {dims = [1], keepDim = false} : (tensor<2x2x1xf32>) -> tensor<2x1xf32>
  func.return %y : tensor<2x1xf32>
}

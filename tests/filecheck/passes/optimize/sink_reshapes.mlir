// RUN: hbir-opt %s -p sink-reshapes,eliminate-identities,dead-code-elimination | filecheck %s

// Between two windows of one row, everything works on the rows themselves.

// CHECK-LABEL: func.func @between
// CHECK-NEXT: %[[B:.*]] = hbir.batchnorm %x, %c, %c, %c, %c
// CHECK-NEXT: %[[C:.*]] = hbir.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00]> : tensor<3xf32>
// CHECK-NEXT: %[[A:.*]] = hbir.mul %[[B]], %[[C]]
// CHECK-NEXT: %[[R:.*]] = hbir.relu %[[A]] : tensor<2x1x8x3xf32>
// CHECK-NEXT: func.return %[[R]]
func.func @between(%x: tensor<2x1x8x3xf32>, %c: tensor<3xf32>) -> tensor<2x1x8x3xf32> {
  %k = hbir.constant dense<[[[1.0, 2.0, 3.0]]]> : tensor<1x1x3xf32>
  %0 = hbir.reshape %x {shape = [2, 8, 3]} : (tensor<2x1x8x3xf32>) -> tensor<2x8x3xf32>
  %1 = hbir.batchnorm %0, %c, %c, %c, %c : (tensor<2x8x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x8x3xf32>
  %2 = hbir.mul %1, %k : (tensor<2x8x3xf32>, tensor<1x1x3xf32>) -> tensor<2x8x3xf32>
  %3 = hbir.relu %2 : tensor<2x8x3xf32>
  %4 = hbir.reshape %3 {shape = [2, 1, 8, 3]} : (tensor<2x8x3xf32>) -> tensor<2x1x8x3xf32>
  func.return %4 : tensor<2x1x8x3xf32>
}

// The other operand of an addition gets the reshape back.

// CHECK-LABEL: func.func @addition
// CHECK-NEXT: %[[Y:.*]] = hbir.reshape %y {shape = [2, 1, 8, 3]}
// CHECK-NEXT: %[[A:.*]] = hbir.add %x, %[[Y]]
// CHECK-NEXT: hbir.reshape %[[A]] {shape = [2, 8, 3]}
func.func @addition(%x: tensor<2x1x8x3xf32>, %y: tensor<2x8x3xf32>) -> tensor<2x8x3xf32> {
  %0 = hbir.reshape %x {shape = [2, 8, 3]} : (tensor<2x1x8x3xf32>) -> tensor<2x8x3xf32>
  %1 = hbir.add %0, %y : (tensor<2x8x3xf32>, tensor<2x8x3xf32>) -> tensor<2x8x3xf32>
  func.return %1 : tensor<2x8x3xf32>
}

// But not the result of a convolution or linear layer, with which the addition is fused: it keeps
// its shape, and where both have reshapes, that of the convolution is taken.

// CHECK-LABEL: func.func @fused
// CHECK:      %[[L:.*]] = hbir.linear
// CHECK-NEXT: %[[S:.*]] = hbir.mul %[[L]]
// CHECK-NEXT: hbir.add %{{.*}}, %[[S]] : (tensor<2x8x3xf32>
func.func @fused(%x: tensor<2x1x8x3xf32>, %y: tensor<2x8x3xf32>) -> tensor<2x8x3xf32> {
  %w = hbir.constant dense<1.0> : tensor<3x3xf32>
  %half = hbir.constant dense<0.5> : tensor<f32>
  %0 = hbir.reshape %x {shape = [2, 8, 3]} : (tensor<2x1x8x3xf32>) -> tensor<2x8x3xf32>
  %1 = hbir.linear %y, %w : (tensor<2x8x3xf32>, tensor<3x3xf32>) -> tensor<2x8x3xf32>
  %2 = hbir.mul %1, %half : (tensor<2x8x3xf32>, tensor<f32>) -> tensor<2x8x3xf32>
  %3 = hbir.add %0, %2 : (tensor<2x8x3xf32>, tensor<2x8x3xf32>) -> tensor<2x8x3xf32>
  func.return %3 : tensor<2x8x3xf32>
}

// CHECK-LABEL: func.func @both
// CHECK:      %[[C:.*]] = hbir.conv2d
// CHECK-NEXT: %[[X:.*]] = hbir.reshape %{{.*}} {shape = [2, 1, 8, 3]}
// CHECK-NEXT: hbir.add %[[X]], %[[C]] : (tensor<2x1x8x3xf32>
func.func @both(%x: tensor<8x2x3xf32>, %y: tensor<2x1x8x3xf32>) -> tensor<2x8x3xf32> {
  %w = hbir.constant dense<1.0> : tensor<3x1x1x3xf32>
  %0 = hbir.reshape %x {shape = [2, 8, 1, 3]} : (tensor<8x2x3xf32>) -> tensor<2x8x1x3xf32>
  %1 = hbir.reshape %0 {shape = [2, 8, 3]} : (tensor<2x8x1x3xf32>) -> tensor<2x8x3xf32>
  %2 = hbir.conv2d %y, %w : (tensor<2x1x8x3xf32>, tensor<3x1x1x3xf32>) -> tensor<2x1x8x3xf32>
  %3 = hbir.reshape %2 {shape = [2, 8, 3]} : (tensor<2x1x8x3xf32>) -> tensor<2x8x3xf32>
  %4 = hbir.add %1, %3 : (tensor<2x8x3xf32>, tensor<2x8x3xf32>) -> tensor<2x8x3xf32>
  func.return %4 : tensor<2x8x3xf32>
}

// Not beside a reshape of what broadcasts: the others have more elements than it.

// CHECK-LABEL: func.func @broadcast
// CHECK-NEXT: %[[B:.*]] = hbir.reshape %y {shape = [1, 1, 3]}
// CHECK-NEXT: hbir.mul %x, %[[B]]
func.func @broadcast(%x: tensor<2x8x3xf32>, %y: tensor<3xf32>) -> tensor<2x8x3xf32> {
  %0 = hbir.reshape %y {shape = [1, 1, 3]} : (tensor<3xf32>) -> tensor<1x1x3xf32>
  %1 = hbir.mul %x, %0 : (tensor<2x8x3xf32>, tensor<1x1x3xf32>) -> tensor<2x8x3xf32>
  func.return %1 : tensor<2x8x3xf32>
}

// A pad of the axes that stay; not one of an axis that the reshape adds.

// CHECK-LABEL: func.func @pad
// CHECK-NEXT: %[[P:.*]] = hbir.pad %x {begin = [0, 0, 3, 0], end = [0, 0, 4, 0]} : (tensor<2x1x8x3xf32>) -> tensor<2x1x15x3xf32>
// CHECK-NEXT: %[[R:.*]] = hbir.reshape %x {shape = [2, 8, 1, 3]}
// CHECK-NEXT: %[[Q:.*]] = hbir.pad %[[R]] {begin = [0, 0, 1, 0]
// CHECK-NEXT: func.return %[[P]], %[[Q]]
func.func @pad(%x: tensor<2x1x8x3xf32>) -> (tensor<2x1x15x3xf32>, tensor<2x8x2x3xf32>) {
  %0 = hbir.reshape %x {shape = [2, 8, 3]} : (tensor<2x1x8x3xf32>) -> tensor<2x8x3xf32>
  %1 = hbir.pad %0 {begin = [0, 3, 0], end = [0, 4, 0]} : (tensor<2x8x3xf32>) -> tensor<2x15x3xf32>
  %2 = hbir.reshape %1 {shape = [2, 1, 15, 3]} : (tensor<2x15x3xf32>) -> tensor<2x1x15x3xf32>
  %3 = hbir.reshape %x {shape = [2, 8, 1, 3]} : (tensor<2x1x8x3xf32>) -> tensor<2x8x1x3xf32>
  %4 = hbir.pad %3 {begin = [0, 0, 1, 0], end = [0, 0, 0, 0]} : (tensor<2x8x1x3xf32>) -> tensor<2x8x2x3xf32>
  func.return %2, %4 : tensor<2x1x15x3xf32>, tensor<2x8x2x3xf32>
}

// What names an axis stays, and so does a reshape of other extents, or one that moves the channels.

// CHECK-LABEL: func.func @stay
// CHECK: hbir.softmax %{{.*}} : tensor<2x8x3xf32>
// CHECK: hbir.relu %{{.*}} : tensor<16x3xf32>
// CHECK: hbir.batchnorm {{.*}} -> tensor<2x8x3x1xf32>
func.func @stay(%x: tensor<2x1x8x3xf32>, %c: tensor<1xf32>) -> (tensor<2x8x3xf32>, tensor<16x3xf32>, tensor<2x8x3x1xf32>) {
  %0 = hbir.reshape %x {shape = [2, 8, 3]} : (tensor<2x1x8x3xf32>) -> tensor<2x8x3xf32>
  %1 = hbir.softmax %0 : tensor<2x8x3xf32>
  %2 = hbir.reshape %x {shape = [16, 3]} : (tensor<2x1x8x3xf32>) -> tensor<16x3xf32>
  %3 = hbir.relu %2 : tensor<16x3xf32>
  %4 = hbir.reshape %x {shape = [2, 8, 3, 1]} : (tensor<2x1x8x3xf32>) -> tensor<2x8x3x1xf32>
  %5 = hbir.batchnorm %4, %c, %c, %c, %c : (tensor<2x8x3x1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<2x8x3x1xf32>
  func.return %1, %3, %5 : tensor<2x8x3xf32>, tensor<16x3xf32>, tensor<2x8x3x1xf32>
}

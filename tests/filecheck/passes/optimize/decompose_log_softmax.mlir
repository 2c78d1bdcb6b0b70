// RUN: hbir-opt %s -p decompose-log-softmax | filecheck %s

// The distance to the largest, minus the logarithm of the sum of its exponentials.

// CHECK-LABEL: func.func @f
// CHECK-NEXT:  %[[MAX:.*]] = hbir.reduce_max %x {dims = [1]} : (tensor<2x5x3xf32>) -> tensor<2x1x3xf32>
// CHECK-NEXT:  %[[D:.*]] = hbir.sub %x, %[[MAX]]
// CHECK-NEXT:  %[[E:.*]] = hbir.exp %[[D]]
// CHECK-NEXT:  %[[S:.*]] = hbir.reduce_sum %[[E]] {dims = [1]} : (tensor<2x5x3xf32>) -> tensor<2x1x3xf32>
// CHECK-NEXT:  %[[L:.*]] = hbir.log %[[S]]
// CHECK-NEXT:  hbir.sub %[[D]], %[[L]]
func.func @f(%x: tensor<2x5x3xf32>) -> tensor<2x5x3xf32> {
  %y = hbir.log_softmax %x {dim = 1} : tensor<2x5x3xf32>
  func.return %y : tensor<2x5x3xf32>
}

// A softmax stays: the BPU has it.

// CHECK-LABEL: func.func @softmax
// CHECK-NEXT:  hbir.softmax
func.func @softmax(%x: tensor<2x5xf32>) -> tensor<2x5xf32> {
  %y = hbir.softmax %x : tensor<2x5xf32>
  func.return %y : tensor<2x5xf32>
}

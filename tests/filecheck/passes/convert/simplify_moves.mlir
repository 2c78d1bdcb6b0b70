// RUN: hbir-opt %s -p simplify-moves | filecheck %s

// Reshapes merge; transposes compose; what undoes itself goes.

// CHECK-LABEL: func.func @f
// CHECK-NEXT: %[[A:.*]] = bpu.reshape %x {shape = [4, 3]}
// CHECK-NEXT: %[[B:.*]] = bpu.transpose %x {dims = [1, 0, 2]}
// CHECK-NEXT: func.return %[[A]], %[[B]], %x
func.func @f(%x: tensor<2x2x3xsi8>) -> (tensor<4x3xsi8>, tensor<2x2x3xsi8>, tensor<2x2x3xsi8>) {
  %a = bpu.reshape %x {shape = [12]} : (tensor<2x2x3xsi8>) -> tensor<12xsi8>
  %b = bpu.reshape %a {shape = [4, 3]} : (tensor<12xsi8>) -> tensor<4x3xsi8>
  %c = bpu.transpose %x {dims = [1, 2, 0]} : (tensor<2x2x3xsi8>) -> tensor<2x3x2xsi8>
  %d = bpu.transpose %c {dims = [0, 2, 1]} : (tensor<2x3x2xsi8>) -> tensor<2x2x3xsi8>
  %e = bpu.transpose %d {dims = [1, 0, 2]} : (tensor<2x2x3xsi8>) -> tensor<2x2x3xsi8>
  func.return %b, %d, %e : tensor<4x3xsi8>, tensor<2x2x3xsi8>, tensor<2x2x3xsi8>
}

// Extents of 1 may move without moving an element.

// CHECK-LABEL: func.func @ones
// CHECK-NEXT: bpu.reshape %x {shape = [3, 1, 1]}
func.func @ones(%x: tensor<1x1x3xsi8>) -> tensor<3x1x1xsi8> {
  %a = bpu.transpose %x {dims = [2, 0, 1]} : (tensor<1x1x3xsi8>) -> tensor<3x1x1xsi8>
  func.return %a : tensor<3x1x1xsi8>
}

// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Truth values are i1, or the f32 numbers 0 and 1.

// CHECK-LABEL: func.func @comparisons
// CHECK:         hbir.equal %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xi1>
// CHECK:         hbir.not_equal %x, %y
// CHECK:         hbir.greater %x, %y
// CHECK:         hbir.greater_equal %x, %y
// CHECK:         hbir.less %x, %y
// CHECK:         hbir.less_equal %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
func.func @comparisons(%x: tensor<2x3xf32>, %y: tensor<3xf32>) {
  %0 = hbir.equal %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xi1>
  %1 = hbir.not_equal %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xi1>
  %2 = hbir.greater %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xi1>
  %3 = hbir.greater_equal %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xi1>
  %4 = hbir.less %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xi1>
  %5 = hbir.less_equal %x, %y : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  func.return
}

// CHECK-LABEL: func.func @logic
// CHECK:         hbir.logical_and %p, %q : (tensor<2x3xi1>, tensor<3xi1>) -> tensor<2x3xi1>
// CHECK:         hbir.logical_or %p, %q
// CHECK:         hbir.logical_xor %p, %q
// CHECK:         hbir.logical_not %p : (tensor<2x3xi1>) -> tensor<2x3xi1>
func.func @logic(%p: tensor<2x3xi1>, %q: tensor<3xi1>) {
  %0 = hbir.logical_and %p, %q : (tensor<2x3xi1>, tensor<3xi1>) -> tensor<2x3xi1>
  %1 = hbir.logical_or %p, %q : (tensor<2x3xi1>, tensor<3xi1>) -> tensor<2x3xi1>
  %2 = hbir.logical_xor %p, %q : (tensor<2x3xi1>, tensor<3xi1>) -> tensor<2x3xi1>
  %3 = hbir.logical_not %p : (tensor<2x3xi1>) -> tensor<2x3xi1>
  func.return
}

// CHECK-LABEL: func.func @choice
// CHECK:         hbir.where %p, %x, %y : (tensor<3xi1>, tensor<2x1xf32>, tensor<1xf32>) -> tensor<2x3xf32>
// CHECK:         hbir.where %y, %i, %i : (tensor<1xf32>, tensor<2xsi64>, tensor<2xsi64>) -> tensor<2xsi64>
func.func @choice(%p: tensor<3xi1>, %x: tensor<2x1xf32>, %y: tensor<1xf32>, %i: tensor<2xsi64>) {
  %0 = hbir.where %p, %x, %y : (tensor<3xi1>, tensor<2x1xf32>, tensor<1xf32>) -> tensor<2x3xf32>
  %1 = hbir.where %y, %i, %i : (tensor<1xf32>, tensor<2xsi64>, tensor<2xsi64>) -> tensor<2xsi64>
  func.return
}

// RUN: hbir-opt %s -p represent-bools | filecheck %s
// RUN: hbir-opt %s -p represent-bools,represent-bools | filecheck %s

// Truth values are numbers: and is min, or is max, xor is not_equal, not is 1 - x. A cast to f32 is
// the number itself; running the pass again changes nothing.

// CHECK-LABEL: func.func @logic
// CHECK-NOT:   xi1>
// CHECK:       %[[P:.*]] = hbir.less %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
// CHECK:       %[[Q:.*]] = hbir.equal %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
// CHECK:       %[[A:.*]] = hbir.min %[[P]], %[[Q]]
// CHECK:       %[[O:.*]] = hbir.max %[[A]], %[[Q]]
// CHECK:       %[[X:.*]] = hbir.not_equal %[[O]], %[[P]] : {{.*}} -> tensor<4xf32>
// CHECK:       %[[ONE:.*]] = hbir.constant dense<1.000000e+00>
// CHECK:       %[[N:.*]] = hbir.sub %[[ONE]], %[[X]]
// CHECK:       %[[R:.*]] = hbir.reshape %[[N]] {shape = [2, 2]} : (tensor<4xf32>) -> tensor<2x2xf32>
// CHECK-NEXT:  func.return %[[R]]
func.func @logic(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<2x2xf32> {
  %p = hbir.less %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
  %q = hbir.equal %x, %y : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>
  %a = hbir.logical_and %p, %q : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  %o = hbir.logical_or %a, %q : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  %w = hbir.logical_xor %o, %p : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  %n = hbir.logical_not %w : (tensor<4xi1>) -> tensor<4xi1>
  %r = hbir.reshape %n {shape = [2, 2]} : (tensor<4xi1>) -> tensor<2x2xi1>
  %f = hbir.cast_type %r : tensor<2x2xi1> to tensor<2x2xf32>
  func.return %f : tensor<2x2xf32>
}

// A constant condition becomes numbers here and now; a choice between truth values is one of numbers.

// CHECK-LABEL: func.func @choice
// CHECK:       hbir.constant dense<[1.000000e+00, 0.000000e+00]> : tensor<2xf32>
// CHECK:       hbir.where {{.*}} : (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
// CHECK:       hbir.where {{.*}} : (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
func.func @choice(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<2xf32> {
  %c = hbir.constant dense<[true, false]> : tensor<2xi1>
  %p = hbir.less %x, %y : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xi1>
  %w = hbir.where %c, %p, %c : (tensor<2xi1>, tensor<2xi1>, tensor<2xi1>) -> tensor<2xi1>
  %z = hbir.where %w, %x, %y : (tensor<2xi1>, tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %z : tensor<2xf32>
}

// Outputs stay i1, inputs are cast once; a number read as a truth value is compared with 0.

// CHECK-LABEL: func.func @edges
// CHECK:       %[[B:.*]] = hbir.cast_type %b : tensor<2xi1> to tensor<2xf32>
// CHECK:       %[[ZERO:.*]] = hbir.constant dense<0.000000e+00> : tensor<f32>
// CHECK:       %[[T:.*]] = hbir.not_equal %x, %[[ZERO]] : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
// CHECK:       %[[A:.*]] = hbir.min %[[B]], %[[T]]
// CHECK:       %[[OUT:.*]] = hbir.cast_type %[[A]] : tensor<2xf32> to tensor<2xi1>
// CHECK:       func.return %[[OUT]]
func.func @edges(%b: tensor<2xi1>, %x: tensor<2xf32>) -> tensor<2xi1> {
  %t = hbir.cast_type %x : tensor<2xf32> to tensor<2xi1>
  %a = hbir.logical_and %b, %t : (tensor<2xi1>, tensor<2xi1>) -> tensor<2xi1>
  func.return %a : tensor<2xi1>
}

// Integers are chosen on the CPU, whose condition stays i1.

// CHECK-LABEL: func.func @integers
// CHECK:       %[[P:.*]] = hbir.less {{.*}} -> tensor<2xf32>
// CHECK:       %[[C:.*]] = hbir.cast_type %[[P]] : tensor<2xf32> to tensor<2xi1>
// CHECK:       hbir.where %[[C]], %i, %i
func.func @integers(%x: tensor<2xf32>, %i: tensor<2xsi64>) -> tensor<2xsi64> {
  %p = hbir.less %x, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xi1>
  %z = hbir.where %p, %i, %i : (tensor<2xi1>, tensor<2xsi64>, tensor<2xsi64>) -> tensor<2xsi64>
  func.return %z : tensor<2xsi64>
}

// RUN: hbir-opt %s -p eliminate-identities,dead-code-elimination | filecheck %s

// CHECK-LABEL: func.func @all_go
// CHECK-NEXT: func.return %x
func.func @all_go(%x: tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32> {
  %zero = hbir.constant dense<0.0> : tensor<f32>
  %one = hbir.constant dense<1.0> : tensor<3xf32>
  %a = hbir.reshape %x {shape = [1, 2, 2, 3]} : (tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32>
  %b = hbir.transpose %a {dims = [0, 1, 2, 3]} : (tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32>
  %c = hbir.slice %b {begin = [0, 0, 0, 0], end = [1, 2, 2, 3]} : (tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32>
  %d = hbir.pad %c {begin = [0, 0, 0, 0], end = [0, 0, 0, 0]} : (tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32>
  %e = hbir.concat %d {dim = 1} : (tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32>
  %f = hbir.add %zero, %e : (tensor<f32>, tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32>
  %g = hbir.mul %f, %one : (tensor<1x2x2x3xf32>, tensor<3xf32>) -> tensor<1x2x2x3xf32>
  %h = hbir.max_pool %g {kernel = [1, 1]} : (tensor<1x2x2x3xf32>) -> tensor<1x2x2x3xf32>
  func.return %h : tensor<1x2x2x3xf32>
}

// x - 0 goes, 0 - x doesn't; x + 0 that enlarges x doesn't.

// CHECK-LABEL: func.func @some_stay
// CHECK: %[[A:.*]] = hbir.sub %{{.*}}, %x
// CHECK: hbir.add %[[A]]
func.func @some_stay(%x: tensor<2xf32>) -> tensor<3x2xf32> {
  %zero = hbir.constant dense<0.0> : tensor<2xf32>
  %zeros = hbir.constant dense<0.0> : tensor<3x2xf32>
  %a = hbir.sub %zero, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %b = hbir.add %a, %zeros : (tensor<2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
  func.return %b : tensor<3x2xf32>
}

// Activations merge; reshapes merge; a transpose of extents of 1 is a reshape.

// CHECK-LABEL: func.func @merges
// CHECK-NEXT: %[[A:.*]] = hbir.clip %x {{.*}}min = 0.000000e+00 : f64, max = 4.000000e+00 : f64
// CHECK-NEXT: %[[B:.*]] = hbir.reshape %[[A]] {{.*}}shape = [3, 1, 2]
// CHECK-NEXT: func.return %[[B]]
func.func @merges(%x: tensor<1x2x3xf32>) -> tensor<3x1x2xf32> {
  %a = hbir.clip %x {min = -1.0, max = 4.0} : tensor<1x2x3xf32>
  %b = hbir.relu %a : tensor<1x2x3xf32>
  %c = hbir.relu %b : tensor<1x2x3xf32>
  %d = hbir.reshape %c {shape = [1, 3, 2]} : (tensor<1x2x3xf32>) -> tensor<1x3x2xf32>
  %e = hbir.transpose %d {dims = [1, 0, 2]} : (tensor<1x3x2xf32>) -> tensor<3x1x2xf32>
  func.return %e : tensor<3x1x2xf32>
}

// An element-wise op repeats an extent of 1 itself; what enlarges its result must stay.

// CHECK-LABEL: func.func @tile
// CHECK-NEXT: %[[T:.*]] = hbir.tile %row
// CHECK-NEXT: hbir.add %x, %row : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT: hbir.add %row, %[[T]]
func.func @tile(%x: tensor<2x3xf32>, %row: tensor<1x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %t = hbir.tile %row {multiplies = [2, 1]} : (tensor<1x3xf32>) -> tensor<2x3xf32>
  %a = hbir.add %x, %t : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %b = hbir.add %row, %t : (tensor<1x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  func.return %a, %b : tensor<2x3xf32>, tensor<2x3xf32>
}

// A fake-quant that repeats the one before it says nothing; another width does.

// CHECK-LABEL: func.func @repeated
// CHECK: %[[A:.*]] = qnt.const_fake_quant %x
// CHECK-NEXT: %[[B:.*]] = qnt.const_fake_quant %[[A]] {min = [-1.0], max = [1.0]}
// CHECK-NEXT: func.return %[[B]]
func.func @repeated(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = qnt.const_fake_quant %x {min = [-1.0], max = [1.0], bits = 16} : tensor<4xf32>
  %b = qnt.const_fake_quant %a {min = [-1.0], max = [1.0], bits = 16} : tensor<4xf32>
  %c = qnt.const_fake_quant %b {min = [-1.0], max = [1.0]} : tensor<4xf32>
  func.return %c : tensor<4xf32>
}

// A reduction doesn't keep axes that a reshape takes away; one whose axes are used keeps them.

// CHECK-LABEL: func.func @kept_axes
// CHECK-NEXT: hbir.reduce_mean %x {keepDim = false, dims = [1, 2]} {{.*}} -> tensor<2x3xf32>
// CHECK-NEXT: %[[KEPT:.*]] = hbir.reduce_max %x {dims = [2]}
// CHECK-NEXT: hbir.reshape %[[KEPT]] {shape = [5, 6]}
// CHECK-NEXT: func.return
func.func @kept_axes(%x: tensor<2x5x4x3xf32>) -> (tensor<2x3xf32>, tensor<5x6xf32>) {
  %a = hbir.reduce_mean %x {dims = [1, 2]} : (tensor<2x5x4x3xf32>) -> tensor<2x1x1x3xf32>
  %b = hbir.reshape %a {shape = [2, 3]} : (tensor<2x1x1x3xf32>) -> tensor<2x3xf32>
  %c = hbir.reduce_max %x {dims = [2]} : (tensor<2x5x4x3xf32>) -> tensor<2x5x1x3xf32>
  %d = hbir.reshape %c {shape = [5, 6]} : (tensor<2x5x1x3xf32>) -> tensor<5x6xf32>
  func.return %b, %d : tensor<2x3xf32>, tensor<5x6xf32>
}

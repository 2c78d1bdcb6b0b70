// RUN: hbir-opt %s -p recognize-activations,dead-code-elimination | filecheck %s

// CHECK-LABEL: func.func @relu
// CHECK-NEXT: %[[A:.*]] = hbir.relu %x
// CHECK-NEXT: func.return %[[A]]
func.func @relu(%x: tensor<2xf32>) -> tensor<2xf32> {
  %r = hbir.clip %x {min = 0.0, max = 3.4028234663852886e+38} : tensor<2xf32>
  func.return %r : tensor<2xf32>
}

// max(min(x, 6), 0) is relu6.

// CHECK-LABEL: func.func @relu6
// CHECK: %[[A:.*]] = hbir.clip %x {{.*}}min = 0.000000e+00 : f64, max = 6.000000e+00 : f64
// CHECK-NEXT: func.return %[[A]]
func.func @relu6(%x: tensor<2xf32>) -> tensor<2xf32> {
  %six = hbir.constant dense<6.0> : tensor<f32>
  %zero = hbir.constant dense<0.0> : tensor<f32>
  %a = hbir.min %x, %six : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %b = hbir.max %a, %zero : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  func.return %b : tensor<2xf32>
}

// x * sigmoid(x), in either order.

// CHECK-LABEL: func.func @swish
// CHECK-NEXT: %[[A:.*]] = hbir.swish %x
// CHECK-NEXT: %[[B:.*]] = hbir.swish %[[A]]
// CHECK-NEXT: func.return %[[B]]
func.func @swish(%x: tensor<2xf32>) -> tensor<2xf32> {
  %s = hbir.sigmoid %x : tensor<2xf32>
  %a = hbir.mul %x, %s : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %t = hbir.sigmoid %a : tensor<2xf32>
  %b = hbir.mul %t, %a : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %b : tensor<2xf32>
}

// x * (clip(x + 3, 0, 6) / 6) is hard swish, clip(x + 3, 0, 6) / 6 alone hard sigmoid.

// CHECK-LABEL: func.func @hard
// CHECK-DAG: hbir.hard_swish %x
// CHECK-DAG: hbir.hard_sigmoid %y {{.*}}alpha = 0.16666{{.*}} : f64
func.func @hard(%x: tensor<2xf32>, %y: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %three = hbir.constant dense<3.0> : tensor<f32>
  %sixth = hbir.constant dense<0.16666667> : tensor<f32>
  %a = hbir.add %x, %three : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %b = hbir.clip %a {min = 0.0, max = 6.0} : tensor<2xf32>
  %c = hbir.mul %x, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %d = hbir.mul %c, %sixth : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %e = hbir.add %y, %three : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %f = hbir.clip %e {min = 0.0, max = 6.0} : tensor<2xf32>
  %g = hbir.mul %f, %sixth : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  func.return %d, %g : tensor<2xf32>, tensor<2xf32>
}

// max(x, 0.25 * x) is leaky relu; a slope above 1 would choose the other branch.

// CHECK-LABEL: func.func @leaky
// CHECK: hbir.leaky_relu %x {{.*}}slop = 2.500000e-01 : f64
// CHECK: hbir.max
func.func @leaky(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %quarter = hbir.constant dense<0.25> : tensor<f32>
  %two = hbir.constant dense<2.0> : tensor<f32>
  %a = hbir.mul %x, %quarter : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %b = hbir.max %x, %a : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %c = hbir.mul %x, %two : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %d = hbir.max %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %b, %d : tensor<2xf32>, tensor<2xf32>
}

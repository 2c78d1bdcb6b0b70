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

// Gelu, in whatever order its factors stand; by tanh it is another op.

// CHECK-LABEL: func.func @gelu
// CHECK-NOT: hbir.erf
// CHECK-DAG: hbir.gelu %x : tensor<2xf32>
// CHECK-DAG: hbir.gelu %y {approximate = "tanh"} : tensor<2xf32>
// CHECK-NOT: hbir.tanh
// CHECK: func.return
func.func @gelu(%x: tensor<2xf32>, %y: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %half = hbir.constant dense<0.5> : tensor<f32>
  %one = hbir.constant dense<1.0> : tensor<1xf32>
  %root = hbir.constant dense<0.70710678> : tensor<f32>
  %cubic = hbir.constant dense<0.044715> : tensor<f32>
  %three = hbir.constant dense<3.0> : tensor<f32>
  %slope = hbir.constant dense<0.7978845608> : tensor<f32>
  %a = hbir.mul %x, %root : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %b = hbir.erf %a : tensor<2xf32>
  %c = hbir.add %one, %b : (tensor<1xf32>, tensor<2xf32>) -> tensor<2xf32>
  %d = hbir.mul %x, %half : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %e = hbir.mul %d, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %f = hbir.pow %y, %three : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %g = hbir.mul %f, %cubic : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %h = hbir.add %y, %g : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %i = hbir.mul %slope, %h : (tensor<f32>, tensor<2xf32>) -> tensor<2xf32>
  %j = hbir.tanh %i : tensor<2xf32>
  %k = hbir.add %j, %one : (tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32>
  %l = hbir.mul %y, %k : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %m = hbir.mul %l, %half : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  func.return %e, %m : tensor<2xf32>, tensor<2xf32>
}

// Softplus of exp and log, and mish around it.

// CHECK-LABEL: func.func @mish
// CHECK-NEXT: hbir.mish %x
// CHECK-NEXT: func.return
func.func @mish(%x: tensor<2xf32>) -> tensor<2xf32> {
  %one = hbir.constant dense<1.0> : tensor<f32>
  %a = hbir.exp %x : tensor<2xf32>
  %b = hbir.add %a, %one : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %c = hbir.log %b : tensor<2xf32>
  %d = hbir.tanh %c : tensor<2xf32>
  %e = hbir.mul %x, %d : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %e : tensor<2xf32>
}

// x · sigmoid(1.702·x) is a scaled swish, one chain; recognized once, it stays.

// CHECK-LABEL: func.func @quick_gelu
// CHECK:      %[[A:.*]] = hbir.mul %x
// CHECK-NEXT: %[[S:.*]] = hbir.swish %[[A]]
// CHECK:      hbir.mul %[[S]]
// CHECK-NEXT: func.return
func.func @quick_gelu(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = hbir.constant dense<1.702> : tensor<f32>
  %a = hbir.mul %x, %c : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %b = hbir.sigmoid %a : tensor<2xf32>
  %d = hbir.mul %b, %x : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %d : tensor<2xf32>
}

// Another function of the same shape is none of these: two slopes differ, or the sources do.

// CHECK-LABEL: func.func @not_gelu
// CHECK: hbir.erf
// CHECK: hbir.erf
func.func @not_gelu(%x: tensor<2xf32>, %y: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  %half = hbir.constant dense<0.5> : tensor<f32>
  %one = hbir.constant dense<1.0> : tensor<f32>
  %root = hbir.constant dense<0.70710678> : tensor<f32>
  %a = hbir.erf %x : tensor<2xf32>
  %b = hbir.add %a, %one : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %c = hbir.mul %x, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %d = hbir.mul %c, %half : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %e = hbir.mul %y, %root : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %f = hbir.erf %e : tensor<2xf32>
  %g = hbir.add %f, %one : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %h = hbir.mul %x, %g : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %i = hbir.mul %h, %half : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  func.return %d, %i : tensor<2xf32>, tensor<2xf32>
}

// Powers that are roots; an exponent per element is none.

// CHECK-LABEL: func.func @powers
// CHECK-DAG: hbir.sqrt %x
// CHECK-DAG: hbir.rsqrt %x
// CHECK-DAG: hbir.pow
func.func @powers(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) {
  %half = hbir.constant dense<0.5> : tensor<f32>
  %minus = hbir.constant dense<-0.5> : tensor<f32>
  %two = hbir.constant dense<[0.5, 2.0]> : tensor<2xf32>
  %a = hbir.pow %x, %half : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %b = hbir.pow %x, %minus : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %c = hbir.pow %x, %two : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %a, %b, %c : tensor<2xf32>, tensor<2xf32>, tensor<2xf32>
}

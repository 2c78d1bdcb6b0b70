// RUN: hbir-opt %s -p bound-masks | filecheck %s

// A mask alone: 0 and -1000, in another shape on the way too.

// CHECK-LABEL: func.func @mask
// CHECK:         %[[M:.*]] = hbir.constant dense<[0.000000e+00, -1.000000e+03]> : tensor<2xf32>
// CHECK-NEXT:    hbir.add %x, %[[M]]
func.func @mask(%x: tensor<3x2xf32>) -> tensor<1x3x2xf32> {
  %m = hbir.constant dense<[0.0, -1.0e30]> : tensor<2xf32>
  %0 = hbir.add %x, %m : (tensor<3x2xf32>, tensor<2xf32>) -> tensor<3x2xf32>
  %1 = hbir.reshape %0 {shape = [1, 3, 2]} : (tensor<3x2xf32>) -> tensor<1x3x2xf32>
  %2 = hbir.softmax %1 : tensor<1x3x2xf32>
  func.return %2 : tensor<1x3x2xf32>
}

// A position bias beside it has a scale of its own.

// CHECK-LABEL: func.func @bias
// CHECK:         %[[B:.*]] = hbir.constant dense<[2.500000e+00, 0.000000e+00, -1.000000e+00]> : tensor<3xf32>
// CHECK-NEXT:    %[[U:.*]] = hbir.add %{{.*}}, %[[B]]
// CHECK-NEXT:    %[[M:.*]] = hbir.constant dense<[0.000000e+00, -1.000000e+03, 0.000000e+00]> : tensor<3xf32>
// CHECK-NEXT:    hbir.add %[[U]], %[[M]]
func.func @bias(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %m = hbir.constant dense<[2.5, -100.0, -1.0]> : tensor<3xf32>
  %0 = hbir.add %m, %x : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %1 = hbir.softmax %0 : tensor<2x3xf32>
  func.return %1 : tensor<2x3xf32>
}

// Not where anything but a softmax reads the sum, nor for elements that are near one another.

// CHECK-LABEL: func.func @kept
// CHECK:         dense<[2.500000e+00, -1.000000e+02, -1.000000e+00]>
// CHECK:         dense<[2.500000e+00, -2.000000e+01, -1.000000e+00]>
// CHECK-NOT:     hbir.constant
func.func @kept(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %m = hbir.constant dense<[2.5, -100.0, -1.0]> : tensor<3xf32>
  %n = hbir.constant dense<[2.5, -20.0, -1.0]> : tensor<3xf32>
  %0 = hbir.add %x, %m : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %1 = hbir.softmax %0 : tensor<2x3xf32>
  %2 = hbir.add %x, %n : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %3 = hbir.softmax %2 : tensor<2x3xf32>
  func.return %0, %1, %3 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}

// Computed masks: a factor that no scale holds, and a choice instead of a sum.

// CHECK-LABEL: func.func @computed
// CHECK:         %[[F:.*]] = hbir.constant dense<-1.000000e+03> : tensor<f32>
// CHECK-NEXT:    %[[M:.*]] = hbir.mul %c, %[[F]]
// CHECK-NEXT:    %[[R:.*]] = hbir.reshape %[[M]]
// CHECK-NEXT:    hbir.add %x, %[[R]]
func.func @computed(%x: tensor<2x3xf32>, %c: tensor<3xf32>) -> tensor<2x3xf32> {
  %f = hbir.constant dense<-3.0e38> : tensor<f32>
  %0 = hbir.mul %c, %f : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
  %1 = hbir.reshape %0 {shape = [1, 3]} : (tensor<3xf32>) -> tensor<1x3xf32>
  %2 = hbir.add %x, %1 : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %3 = hbir.softmax %2 : tensor<2x3xf32>
  func.return %3 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @chosen
// CHECK:         %[[S:.*]] = hbir.mul %c, %{{.*}} : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
// CHECK:         %[[H:.*]] = hbir.sub %[[S]], %{{.*}} : (tensor<3xf32>, tensor<f32>) -> tensor<3xf32>
// CHECK-NEXT:    hbir.add %x, %[[H]]
// CHECK-NOT:     hbir.where
func.func @chosen(%x: tensor<2x3xf32>, %c: tensor<3xf32>) -> tensor<2x3xf32> {
  %f = hbir.constant dense<-10000.0> : tensor<f32>
  %0 = hbir.where %c, %x, %f : (tensor<3xf32>, tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %1 = hbir.softmax %0 : tensor<2x3xf32>
  func.return %1 : tensor<2x3xf32>
}

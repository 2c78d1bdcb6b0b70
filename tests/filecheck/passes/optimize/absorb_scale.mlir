// RUN: hbir-opt %s -p absorb-scale | filecheck %s

// A number times the result, and times an operand that is moved in between.

// CHECK-LABEL: func.func @both
// CHECK:         %[[K:.*]] = hbir.reshape %k {shape = [4, 6]}
// CHECK-NEXT:    %[[T:.*]] = hbir.transpose %[[K]] {dims = [1, 0]}
// CHECK-NEXT:    %[[Y:.*]] = hbir.matmul %q, %[[T]] {scale = 2.000000e+00 : f64} : (tensor<3x6xf32>, tensor<6x4xf32>) -> tensor<3x4xf32>
// CHECK-NEXT:    func.return %[[Y]]
func.func @both(%q: tensor<3x6xf32>, %k: tensor<2x2x6xf32>) -> tensor<3x4xf32> {
  %c = hbir.constant dense<0.25> : tensor<f32>
  %d = hbir.constant dense<8.0> : tensor<1xf32>
  %0 = hbir.mul %k, %c : (tensor<2x2x6xf32>, tensor<f32>) -> tensor<2x2x6xf32>
  %1 = hbir.reshape %0 {shape = [4, 6]} : (tensor<2x2x6xf32>) -> tensor<4x6xf32>
  %2 = hbir.transpose %1 {dims = [1, 0]} : (tensor<4x6xf32>) -> tensor<6x4xf32>
  %3 = hbir.matmul %q, %2 : (tensor<3x6xf32>, tensor<6x4xf32>) -> tensor<3x4xf32>
  %4 = hbir.mul %d, %3 : (tensor<1xf32>, tensor<3x4xf32>) -> tensor<3x4xf32>
  func.return %4 : tensor<3x4xf32>
}

// Not a negative number, nor where something else reads the product.

// CHECK-LABEL: func.func @kept
// CHECK:         hbir.mul %q
// CHECK:         %[[P:.*]] = hbir.matmul
// CHECK-NEXT:    hbir.mul %[[P]]
func.func @kept(%q: tensor<3x6xf32>, %k: tensor<6x4xf32>) -> (tensor<3x4xf32>, tensor<3x4xf32>) {
  %c = hbir.constant dense<-0.25> : tensor<f32>
  %d = hbir.constant dense<4.0> : tensor<f32>
  %0 = hbir.mul %q, %c : (tensor<3x6xf32>, tensor<f32>) -> tensor<3x6xf32>
  %1 = hbir.matmul %0, %k : (tensor<3x6xf32>, tensor<6x4xf32>) -> tensor<3x4xf32>
  %2 = hbir.mul %1, %d : (tensor<3x4xf32>, tensor<f32>) -> tensor<3x4xf32>
  func.return %1, %2 : tensor<3x4xf32>, tensor<3x4xf32>
}

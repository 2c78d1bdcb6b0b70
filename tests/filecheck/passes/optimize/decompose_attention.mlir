// RUN: hbir-opt %s -p decompose-attention | filecheck %s

// Without a mask: the scale is the product's own.

// CHECK-LABEL: func.func @plain
// CHECK-NEXT:    %[[K:.*]] = hbir.transpose %k {dims = [0, 1, 3, 2]} : (tensor<2x3x5x8xf32>) -> tensor<2x3x8x5xf32>
// CHECK-NEXT:    %[[S:.*]] = hbir.matmul %q, %[[K]] {scale = 2.500000e-01 : f64} : (tensor<2x3x4x8xf32>, tensor<2x3x8x5xf32>) -> tensor<2x3x4x5xf32>
// CHECK-NEXT:    %[[P:.*]] = hbir.softmax %[[S]] {dim = 3 : i64} : tensor<2x3x4x5xf32>
// CHECK-NEXT:    %[[Y:.*]] = hbir.matmul %[[P]], %v : (tensor<2x3x4x5xf32>, tensor<2x3x5x6xf32>) -> tensor<2x3x4x6xf32>
// CHECK-NEXT:    func.return %[[Y]]
func.func @plain(%q: tensor<2x3x4x8xf32>, %k: tensor<2x3x5x8xf32>, %v: tensor<2x3x5x6xf32>) -> tensor<2x3x4x6xf32> {
  %0 = hbir.attention %q, %k, %v {scale = 0.25} : (tensor<2x3x4x8xf32>, tensor<2x3x5x8xf32>, tensor<2x3x5x6xf32>) -> tensor<2x3x4x6xf32>
  func.return %0 : tensor<2x3x4x6xf32>
}

// A cap of the scores and a computed mask: 2 · tanh(s / 2) + mask.

// CHECK-LABEL: func.func @capped
// CHECK:         %[[S:.*]] = hbir.matmul %q, %{{.*}} {scale = 1.250000e-01 : f64}
// CHECK-NEXT:    %[[C:.*]] = hbir.constant dense<2.000000e+00> : tensor<f32>
// CHECK-NEXT:    %[[T:.*]] = hbir.tanh %[[S]]
// CHECK-NEXT:    %[[L:.*]] = hbir.mul %[[T]], %[[C]]
// CHECK-NEXT:    %[[M:.*]] = hbir.add %[[L]], %m : (tensor<4x5xf32>, tensor<4x5xf32>) -> tensor<4x5xf32>
// CHECK-NEXT:    hbir.softmax %[[M]]
func.func @capped(%q: tensor<4x8xf32>, %k: tensor<5x8xf32>, %m: tensor<4x5xf32>) -> tensor<4x8xf32> {
  %0 = hbir.attention %q, %k, %k, %m {scale = 0.25, softcap = 2.0} : (tensor<4x8xf32>, tensor<5x8xf32>, tensor<5x8xf32>, tensor<4x5xf32>) -> tensor<4x8xf32>
  func.return %0 : tensor<4x8xf32>
}

// Causal: a constant of 0 and -10000, to which a constant mask is added here and now.

// CHECK-LABEL: func.func @causal
// CHECK:         %[[M:.*]] = hbir.constant dense<{{\[\[}}0.000000e+00, -1.000000e+04, -1.000000e+04], [0.000000e+00, 0.000000e+00, -1.000000e+04]]> : tensor<2x3xf32>
// CHECK-NEXT:    hbir.add %{{.*}}, %[[M]]
// CHECK:         %[[N:.*]] = hbir.constant dense<{{\[\[}}5.000000e-01, -9.999500e+03, -9.999500e+03], [5.000000e-01, 5.000000e-01, -9.999500e+03]]> : tensor<2x3xf32>
// CHECK-NEXT:    hbir.add %{{.*}}, %[[N]]
// CHECK-NOT:     hbir.attention
func.func @causal(%q: tensor<2x8xf32>, %k: tensor<3x8xf32>) -> (tensor<2x8xf32>, tensor<2x8xf32>) {
  %0 = hbir.attention %q, %k, %k {scale = 1.0, isCausal = true} : (tensor<2x8xf32>, tensor<3x8xf32>, tensor<3x8xf32>) -> tensor<2x8xf32>
  %m = hbir.constant dense<0.5> : tensor<3xf32>
  %1 = hbir.attention %q, %k, %k, %m {scale = 1.0, isCausal = true} : (tensor<2x8xf32>, tensor<3x8xf32>, tensor<3x8xf32>, tensor<3xf32>) -> tensor<2x8xf32>
  func.return %0, %1 : tensor<2x8xf32>, tensor<2x8xf32>
}

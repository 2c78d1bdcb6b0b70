// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Attention with and without a mask; keys and values of one head for several of the query.

// CHECK-LABEL: func.func @attention
// CHECK:         hbir.attention %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {scale = 2.500000e-01 : f64} : (tensor<2x3x4x8xf32>, tensor<2x1x5x8xf32>, tensor<2x1x5x6xf32>, tensor<4x5xf32>) -> tensor<2x3x4x6xf32>
// CHECK:         hbir.attention %{{.*}}, %{{.*}}, %{{.*}} {isCausal = true, scale = 2.500000e-01 : f64, softcap = 2.000000e+00 : f64} : (tensor<2x3x4x8xf32>, tensor<2x1x5x8xf32>, tensor<2x1x5x6xf32>) -> tensor<2x3x4x6xf32>
func.func @attention(%q: tensor<2x3x4x8xf32>, %k: tensor<2x1x5x8xf32>, %v: tensor<2x1x5x6xf32>, %m: tensor<4x5xf32>) -> tensor<2x3x4x6xf32> {
  %0 = hbir.attention %q, %k, %v, %m {scale = 0.25} : (tensor<2x3x4x8xf32>, tensor<2x1x5x8xf32>, tensor<2x1x5x6xf32>, tensor<4x5xf32>) -> tensor<2x3x4x6xf32>
  %1 = hbir.attention %q, %k, %v {isCausal = true, scale = 0.25, softcap = 2.0} : (tensor<2x3x4x8xf32>, tensor<2x1x5x8xf32>, tensor<2x1x5x6xf32>) -> tensor<2x3x4x6xf32>
  func.return %1 : tensor<2x3x4x6xf32>
}

// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Layer, root-mean-square and group norm, with and without weight and bias.

// CHECK-LABEL: func.func @layernorm
// CHECK:         hbir.layernorm %{{.*}}, %{{.*}}, %{{.*}} : (tensor<2x4x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x4x3xf32>
// CHECK:         hbir.layernorm %{{.*}} {dims = [1, 2], eps = 5.000000e-01 : f64} : (tensor<2x4x3xf32>) -> tensor<2x4x3xf32>
func.func @layernorm(%x: tensor<2x4x3xf32>, %c: tensor<3xf32>) -> tensor<2x4x3xf32> {
  %0 = hbir.layernorm %x, %c, %c : (tensor<2x4x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x4x3xf32>
  %1 = hbir.layernorm %0 {dims = [1, 2], eps = 0.5} : (tensor<2x4x3xf32>) -> tensor<2x4x3xf32>
  func.return %1 : tensor<2x4x3xf32>
}

// CHECK-LABEL: func.func @rms_norm
// CHECK:         hbir.rms_norm %{{.*}}, %{{.*}} : (tensor<2x4x3xf32>, tensor<3xf32>) -> tensor<2x4x3xf32>
func.func @rms_norm(%x: tensor<2x4x3xf32>, %c: tensor<3xf32>) -> tensor<2x4x3xf32> {
  %0 = hbir.rms_norm %x, %c : (tensor<2x4x3xf32>, tensor<3xf32>) -> tensor<2x4x3xf32>
  func.return %0 : tensor<2x4x3xf32>
}

// CHECK-LABEL: func.func @groupnorm
// CHECK:         hbir.groupnorm %{{.*}}, %{{.*}}, %{{.*}} {groupNum = 3 : i64} : (tensor<2x4x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x4x3xf32>
func.func @groupnorm(%x: tensor<2x4x3xf32>, %c: tensor<3xf32>) -> tensor<2x4x3xf32> {
  %0 = hbir.groupnorm %x, %c, %c {groupNum = 3} : (tensor<2x4x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x4x3xf32>
  func.return %0 : tensor<2x4x3xf32>
}

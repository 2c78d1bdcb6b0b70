// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Batch norm and softmax.

// CHECK-LABEL: func.func @batchnorm
// CHECK:         hbir.batchnorm %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : (tensor<1x4x4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x4x4x3xf32>
// CHECK:         hbir.batchnorm %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} {eps = 5.000000e-01 : f64} : (tensor<1x4x4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x4x4x3xf32>
// GENERIC-LABEL: sym_name = "batchnorm"
// GENERIC:       "hbir.batchnorm"(%x, %c, %c, %c, %c) <{eps = 1.000000e-05 : f64}>
func.func @batchnorm(%x: tensor<1x4x4x3xf32>, %c: tensor<3xf32>) -> tensor<1x4x4x3xf32> {
  %0 = hbir.batchnorm %x, %c, %c, %c, %c : (tensor<1x4x4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x4x4x3xf32>
  %1 = hbir.batchnorm %x, %c, %c, %c, %c {eps = 0.5} : (tensor<1x4x4x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<1x4x4x3xf32>
  func.return %1 : tensor<1x4x4x3xf32>
}

// CHECK-LABEL: func.func @softmax
// CHECK:         hbir.softmax %{{.*}} : tensor<2x7xf32>
// CHECK:         hbir.softmax %{{.*}} {dim = 0 : i64} : tensor<2x7xf32>
func.func @softmax(%x: tensor<2x7xf32>) -> tensor<2x7xf32> {
  %0 = hbir.softmax %x : tensor<2x7xf32>
  %1 = hbir.softmax %x {dim = 0 : i64} : tensor<2x7xf32>
  func.return %1 : tensor<2x7xf32>
}

// CHECK-LABEL: func.func @log_softmax
// CHECK:         hbir.log_softmax %x : tensor<2x3xf32>
// CHECK:         hbir.log_softmax %x {dim = 0 : i64} : tensor<2x3xf32>
func.func @log_softmax(%x: tensor<2x3xf32>) {
  %0 = hbir.log_softmax %x : tensor<2x3xf32>
  %1 = hbir.log_softmax %x {dim = 0} : tensor<2x3xf32>
  func.return
}

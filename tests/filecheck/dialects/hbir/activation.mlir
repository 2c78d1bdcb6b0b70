// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Activation functions: one type is printed, the result has it too.

// CHECK-LABEL: func.func @without_properties
// CHECK:         hbir.relu %{{.*}} : tensor<1x4x5x3xf32>
// CHECK:         hbir.sigmoid %{{.*}} : tensor<1x4x5x3xf32>
// CHECK:         hbir.tanh %{{.*}} : tensor<1x4x5x3xf32>
// CHECK:         hbir.hard_swish %{{.*}} : tensor<1x4x5x3xf32>
// CHECK:         hbir.swish %{{.*}} : tensor<1x4x5x3xf32>
// CHECK:         hbir.exp %{{.*}} : tensor<1x4x5x3xf32>
// CHECK:         hbir.reciprocal %{{.*}} : tensor<1x4x5x3xf32>
func.func @without_properties(%x: tensor<1x4x5x3xf32>) -> tensor<1x4x5x3xf32> {
  %0 = hbir.relu %x : tensor<1x4x5x3xf32>
  %1 = hbir.sigmoid %x : tensor<1x4x5x3xf32>
  %2 = hbir.tanh %x : tensor<1x4x5x3xf32>
  %3 = hbir.hard_swish %x : tensor<1x4x5x3xf32>
  %4 = hbir.swish %x : tensor<1x4x5x3xf32>
  %5 = hbir.exp %x : tensor<1x4x5x3xf32>
  %6 = hbir.reciprocal %x : tensor<1x4x5x3xf32>
  func.return %6 : tensor<1x4x5x3xf32>
}

// CHECK-LABEL: func.func @with_properties
// CHECK:         hbir.clip %{{.*}} {min = 0.000000e+00 : f64, max = 6.000000e+00 : f64} : tensor<1x4x5x3xf32>
// CHECK:         hbir.leaky_relu %{{.*}} : tensor<1x4x5x3xf32>
// CHECK:         hbir.leaky_relu %{{.*}} {slop = 5.000000e-01 : f64} : tensor<1x4x5x3xf32>
// CHECK:         hbir.hard_sigmoid %{{.*}} : tensor<1x4x5x3xf32>
// CHECK:         hbir.hard_sigmoid %{{.*}} {alpha = 2.500000e-01 : f64} : tensor<1x4x5x3xf32>
// CHECK:         hbir.prelu %{{.*}}, %{{.*}} : (tensor<1x4x5x3xf32>, tensor<3xf32>) -> tensor<1x4x5x3xf32>
// GENERIC-LABEL: sym_name = "with_properties"
// GENERIC:       "hbir.clip"(%x) <{min = 0.000000e+00 : f64, max = 6.000000e+00 : f64}>
func.func @with_properties(%x: tensor<1x4x5x3xf32>, %s: tensor<3xf32>) -> tensor<1x4x5x3xf32> {
  %0 = hbir.clip %x {min = 0.000000e+00 : f64, max = 6.000000e+00 : f64} : tensor<1x4x5x3xf32>
  %1 = hbir.leaky_relu %x {slop = 0.01} : tensor<1x4x5x3xf32>
  %2 = hbir.leaky_relu %x {slop = 0.5} : tensor<1x4x5x3xf32>
  %3 = hbir.hard_sigmoid %x {alpha = 0.2, beta = 0.5} : tensor<1x4x5x3xf32>
  %4 = hbir.hard_sigmoid %x {alpha = 0.25} : tensor<1x4x5x3xf32>
  %5 = hbir.prelu %x, %s : (tensor<1x4x5x3xf32>, tensor<3xf32>) -> tensor<1x4x5x3xf32>
  func.return %5 : tensor<1x4x5x3xf32>
}

// CHECK-LABEL: func.func @of_later_networks
// CHECK:         hbir.gelu %x : tensor<4xf32>
// CHECK:         hbir.gelu %x {approximate = "tanh"} : tensor<4xf32>
// CHECK:         hbir.softplus %x {beta = 2.000000e+00 : f64} : tensor<4xf32>
// CHECK:         hbir.mish %x : tensor<4xf32>
// CHECK:         hbir.elu %x {alpha = 5.000000e-01 : f64} : tensor<4xf32>
// CHECK:         hbir.softsign %x : tensor<4xf32>
// CHECK:         hbir.thresholded_relu %x : tensor<4xf32>
// CHECK:         hbir.shrink %x {bias = 2.500000e-01 : f64} : tensor<4xf32>
func.func @of_later_networks(%x: tensor<4xf32>) {
  %0 = hbir.gelu %x : tensor<4xf32>
  %1 = hbir.gelu %x {approximate = "tanh"} : tensor<4xf32>
  %2 = hbir.softplus %x {beta = 2.0} : tensor<4xf32>
  %3 = hbir.mish %x : tensor<4xf32>
  %4 = hbir.elu %x {alpha = 0.5} : tensor<4xf32>
  %5 = hbir.softsign %x : tensor<4xf32>
  %6 = hbir.thresholded_relu %x {alpha = 1.0} : tensor<4xf32>
  %7 = hbir.shrink %x {lambd = 0.5, bias = 0.25} : tensor<4xf32>
  func.return
}

// RUN: hbir-opt %s -p bound-infinities | filecheck %s

// What masks with an infinity masks with a large number: 0, -inf and inf, in bytes.

// CHECK-LABEL: func.func @mask
// CHECK:       hbir.constant dense<[0.000000e+00, -1.000000e+30, 1.000000e+30]>
func.func @mask(%x: tensor<3xf32>) -> tensor<3xf32> {
  %m = hbir.constant dense<"0x00000000000080FF0000807F"> : tensor<3xf32>
  %y = hbir.add %x, %m : (tensor<3xf32>, tensor<3xf32>) -> tensor<3xf32>
  func.return %y : tensor<3xf32>
}

// Finite numbers stay, however large.

// CHECK-LABEL: func.func @finite
// CHECK:       hbir.constant dense<[-3.000000e+38, 0.000000e+00]>
func.func @finite(%x: tensor<2xf32>) -> tensor<2xf32> {
  %m = hbir.constant dense<[-3.0e38, 0.0]> : tensor<2xf32>
  %y = hbir.add %x, %m : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %y : tensor<2xf32>
}

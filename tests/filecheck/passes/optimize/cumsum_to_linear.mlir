// RUN: hbir-opt %s -p cumsum-to-linear | filecheck %s

// A product with ones on and above the diagonal.

// CHECK-LABEL: func.func @last
// CHECK-NEXT:  %[[W:.*]] = hbir.constant dense<{{\[\[}}1.000000e+00, 1.000000e+00, 1.000000e+00], [0.000000e+00, 1.000000e+00, 1.000000e+00], [0.000000e+00, 0.000000e+00, 1.000000e+00]]>
// CHECK-NEXT:  hbir.linear %x, %[[W]]
func.func @last(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %y = hbir.cumsum %x {axis = 1} : tensor<2x3xf32>
  func.return %y : tensor<2x3xf32>
}

// Along another axis between two transposes; from the end and without itself, below the diagonal.

// CHECK-LABEL: func.func @first
// CHECK-NEXT:  %[[W:.*]] = hbir.constant dense<{{\[\[}}0.000000e+00, 0.000000e+00], [1.000000e+00, 0.000000e+00]]>
// CHECK-NEXT:  %[[T:.*]] = hbir.transpose %x {dims = [1, 0]}
// CHECK-NEXT:  %[[S:.*]] = hbir.linear %[[T]], %[[W]]
// CHECK-NEXT:  hbir.transpose %[[S]] {dims = [1, 0]}
func.func @first(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %y = hbir.cumsum %x {axis = 0, exclusive = true, reverse = true} : tensor<2x3xf32>
  func.return %y : tensor<2x3xf32>
}

// A vector is a row.

// CHECK-LABEL: func.func @vector
// CHECK:       hbir.reshape %x {shape = [1, 2]}
// CHECK-NEXT:  hbir.linear
// CHECK-NEXT:  hbir.reshape {{.*}} {shape = [2]}
func.func @vector(%x: tensor<2xf32>) -> tensor<2xf32> {
  %y = hbir.cumsum %x {axis = 0} : tensor<2xf32>
  func.return %y : tensor<2xf32>
}

// More than 2048 elements stay.

// CHECK-LABEL: func.func @long
// CHECK-NEXT:  hbir.cumsum
func.func @long(%x: tensor<1x2049xf32>) -> tensor<1x2049xf32> {
  %y = hbir.cumsum %x {axis = 1} : tensor<1x2049xf32>
  func.return %y : tensor<1x2049xf32>
}

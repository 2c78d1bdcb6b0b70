// RUN: hbir-opt %s -p decompose-div | filecheck %s

// By a constant: times its inverse. By an activation: times a reciprocal.

// CHECK-LABEL: func.func @f
// CHECK: %[[INV:.*]] = hbir.constant dense<[5.000000e-01, 2.500000e-01]>
// CHECK-NEXT: %[[A:.*]] = hbir.mul %x, %[[INV]]
// CHECK-NEXT: %[[REC:.*]] = hbir.reciprocal %y
// CHECK-NEXT: hbir.mul %[[A]], %[[REC]]
func.func @f(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<2xf32> {
  %c = hbir.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %a = hbir.div %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %b = hbir.div %a, %y : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %b : tensor<2xf32>
}

// A zero has no inverse.

// CHECK-LABEL: func.func @by_zero
// CHECK: hbir.div
func.func @by_zero(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = hbir.constant dense<[2.0, 0.0]> : tensor<2xf32>
  %a = hbir.div %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %a : tensor<2xf32>
}

// RUN: hbir-opt %s -p dead-code-elimination | filecheck %s

// A chain that nothing reads goes as a whole; inputs stay.

// CHECK-LABEL: func.func @f
// CHECK-SAME: %unused
// CHECK-NEXT: %[[R:.*]] = hbir.relu %x
// CHECK-NEXT: func.return %[[R]]
func.func @f(%x: tensor<4xf32>, %unused: tensor<4xf32>) -> tensor<4xf32> {
  %0 = hbir.relu %x : tensor<4xf32>
  %1 = hbir.exp %0 : tensor<4xf32>
  %2 = hbir.tanh %1 : tensor<4xf32>
  func.return %0 : tensor<4xf32>
}

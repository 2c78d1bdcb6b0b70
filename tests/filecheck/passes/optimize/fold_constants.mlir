// RUN: hbir-opt %s -p fold-constants,dead-code-elimination | filecheck %s

// Ops on constants alone are computed; what an input reaches stays.

// CHECK-LABEL: func.func @folds
// CHECK-NEXT: %[[SUM:.*]] = hbir.constant dense<[4.000000e+00, 6.000000e+00]> : tensor<2xf32>
// CHECK-NEXT: %[[R:.*]] = hbir.mul %x, %[[SUM]]
// CHECK-NEXT: func.return %[[R]]
func.func @folds(%x: tensor<2xf32>) -> tensor<2xf32> {
  %a = hbir.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = hbir.constant dense<[3.0, 4.0]> : tensor<2xf32>
  %sum = hbir.add %a, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %r = hbir.mul %x, %sum : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %r : tensor<2xf32>
}

// A fake-quant of a constant says how to quantize it, so it isn't computed away.

// CHECK-LABEL: func.func @keeps_fake_quants
// CHECK: qnt.const_fake_quant
func.func @keeps_fake_quants() -> tensor<2xf32> {
  %a = hbir.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %q = qnt.const_fake_quant %a {min = [-2.0], max = [2.0]} : tensor<2xf32>
  func.return %q : tensor<2xf32>
}

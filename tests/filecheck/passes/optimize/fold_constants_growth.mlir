// RUN: hbir-opt %s -p 'fold-constants{growth_limit_bytes=16}' | filecheck %s

// A broadcast larger than the limit and than its operands together is left to be computed.

// CHECK-LABEL: func.func @f
// CHECK: hbir.add
func.func @f() -> tensor<3x3xf32> {
  %a = hbir.constant dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>
  %b = hbir.constant dense<[3.0, 4.0, 5.0]> : tensor<3xf32>
  %r = hbir.add %a, %b : (tensor<3x1xf32>, tensor<3xf32>) -> tensor<3x3xf32>
  func.return %r : tensor<3x3xf32>
}

// RUN: hbir-opt %s -p place-fake-quants | filecheck %s

// An embedding has the range of its whole table: other rows than the observed ones come up later.

// CHECK-LABEL: func.func @embedding
// CHECK: %[[E:.*]] = hbir.index
// CHECK: qnt.const_fake_quant %{{.*}} {min = [-5.03{{.*}}], max = [4.99{{.*}}]}
func.func @embedding(%i: tensor<2xsi64>) -> tensor<2x1xf32> {
  %t = hbir.constant dense<[[1.0], [5.0], [3.0]]> : tensor<3x1xf32>
  %w = hbir.constant dense<2.0> : tensor<1x1xf32>
  %a = hbir.index %t, %i {observed = [1.0, 3.0]} : (tensor<3x1xf32>, tensor<2xsi64>) -> tensor<2x1xf32>
  %b = hbir.linear %a, %w {observed = [2.0, 6.0]} : (tensor<2x1xf32>, tensor<1x1xf32>) -> tensor<2x1xf32>
  func.return %b : tensor<2x1xf32>
}

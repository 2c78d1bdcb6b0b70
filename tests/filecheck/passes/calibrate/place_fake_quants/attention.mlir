// RUN: hbir-opt %s -p 'mark-fusion-groups,place-fake-quants{asymmetric=true}' | filecheck %s

// The right side of a product of two activations gets no zero point: both keys and values are
// symmetric, moved or not. Scores hidden by a mask don't widen the range: it ends 12 below the least
// score that is seen, -6 - 12. Probabilities that stay small get small steps.

// CHECK-LABEL: func.func @attention
// CHECK-DAG: qnt.const_fake_quant %q {{.*}}min = [0.0], max = [12.69
// CHECK-DAG: qnt.const_fake_quant %k {{.*}}min = [-12.{{.*}}], max = [12.70
// CHECK-DAG: qnt.const_fake_quant %v {{.*}}min = [-25.{{.*}}], max = [25.40
// CHECK: hbir.add
// CHECK-NEXT: qnt.const_fake_quant {{.*}}min = [-17.99{{.*}}], max = [6.0
// CHECK: hbir.softmax
// CHECK-NEXT: qnt.const_fake_quant {{.*}}min = [0.0], max = [0.25
func.func @attention(%q: tensor<3x4xf32> {hbir.observed = [0.0, 12.7]}, %k: tensor<2x4xf32> {hbir.observed = [0.0, 12.7]}, %v: tensor<2x4xf32> {hbir.observed = [-1.0, 25.4]}) -> tensor<3x4xf32> {
  %mask = hbir.constant dense<[0.0, -1000.0]> : tensor<2xf32>
  %t = hbir.transpose %k {dims = [1, 0], observed = [0.0, 12.7]} : (tensor<2x4xf32>) -> tensor<4x2xf32>
  %s = hbir.matmul %q, %t {observed = [-6.0, 6.0]} : (tensor<3x4xf32>, tensor<4x2xf32>) -> tensor<3x2xf32>
  %m = hbir.add %s, %mask {observed = [-1006.0, 6.0]} : (tensor<3x2xf32>, tensor<2xf32>) -> tensor<3x2xf32>
  %p = hbir.softmax %m {observed = [0.0, 0.25]} : tensor<3x2xf32>
  %y = hbir.matmul %p, %v {observed = [-8.0, 8.0]} : (tensor<3x2xf32>, tensor<2x4xf32>) -> tensor<3x4xf32>
  func.return %y : tensor<3x4xf32>
}

// A computed mask needs no more than to hide, and a probability that was large may be 1.

// CHECK-LABEL: func.func @computed
// CHECK: qnt.const_fake_quant %mask {{.*}}min = [-1000.0
// CHECK: hbir.softmax
// CHECK-NEXT: qnt.const_fake_quant {{.*}}min = [0.0], max = [1.0
func.func @computed(%s: tensor<3x2xf32> {hbir.observed = [-6.0, 6.0]}, %mask: tensor<1x2xf32> {hbir.observed = [-1.0e20, 0.0]}) -> tensor<3x2xf32> {
  %m = hbir.add %s, %mask {observed = [-1.0e20, 6.0]} : (tensor<3x2xf32>, tensor<1x2xf32>) -> tensor<3x2xf32>
  %p = hbir.softmax %m {observed = [0.0, 0.9]} : tensor<3x2xf32>
  func.return %p : tensor<3x2xf32>
}

// RUN: hbir-opt %s -p place-ops,expand-fake-quants,lower-to-bpu,dead-code-elimination | filecheck %s

// A mean of four elements multiplies by 1/4; softmax over another dimension is transposed.

// CHECK-LABEL: func.func @f
// CHECK: bpu.reduce_mean {{.*}}dims = [1], multiplier = 16384 : i64, shift = 16
// CHECK: %[[T:.*]] = bpu.transpose %{{.*}} {{.*}}dims = [1, 0]
// CHECK: %[[S:.*]] = bpu.softmax %[[T]], {{.*}}dim = 1
// CHECK: bpu.transpose %[[S]] {{.*}}dims = [1, 0]
func.func @f(%x: tensor<2x4xf32>) -> (tensor<2x1xf32>, tensor<2x4xf32>) {
  %q = qnt.const_fake_quant %x {min = [-64.0], max = [63.5]} : tensor<2x4xf32>
  %a = hbir.reduce_mean %q {dims = [1]} : (tensor<2x4xf32>) -> tensor<2x1xf32>
  %b = qnt.const_fake_quant %a {min = [-64.0], max = [63.5]} : tensor<2x1xf32>
  %c = hbir.softmax %q {dim = 0} : tensor<2x4xf32>
  %d = qnt.const_fake_quant %c {min = [-1.0], max = [0.9921875]} : tensor<2x4xf32>
  func.return %b, %d : tensor<2x1xf32>, tensor<2x4xf32>
}

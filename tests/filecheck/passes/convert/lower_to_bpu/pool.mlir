// RUN: hbir-opt %s -p place-ops,expand-fake-quants,lower-to-bpu,dead-code-elimination | filecheck %s

// Ceil mode becomes end pads, which an average doesn't count: one multiplier per valid count.

// CHECK-LABEL: func.func @f
// CHECK: bpu.max_pool {{.*}}pad = [0, 0, 1, 1]
// CHECK: bpu.avg_pool {{.*}}countIncludePad = false{{.*}}tensor<5x2xsi32>
func.func @f(%x: tensor<1x3x3x1xf32>) -> (tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>) {
  %q = qnt.const_fake_quant %x {min = [-64.0], max = [63.5]} : tensor<1x3x3x1xf32>
  %a = hbir.max_pool %q {kernel = [2, 2], stride = [2, 2], ceilMode = true} : (tensor<1x3x3x1xf32>) -> tensor<1x2x2x1xf32>
  %b = qnt.const_fake_quant %a {min = [-64.0], max = [63.5]} : tensor<1x2x2x1xf32>
  %c = hbir.avg_pool %q {kernel = [2, 2], stride = [2, 2], ceilMode = true} : (tensor<1x3x3x1xf32>) -> tensor<1x2x2x1xf32>
  %d = qnt.const_fake_quant %c {min = [-64.0], max = [63.5]} : tensor<1x2x2x1xf32>
  func.return %b, %d : tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>
}

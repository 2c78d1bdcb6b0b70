// RUN: hbir-opt %s -p 'mark-fusion-groups,place-fake-quants{asymmetric=true}' | filecheck %s

// A tensor that is never negative spends all 256 integers on its range (the symmetric one would be
// twice as wide). One that never holds 0 is widened to it; one that does is widened by less than a
// step of 0.016, so that 0 is an integer and neither end falls short.

// CHECK-LABEL: func.func @ranges
// CHECK: qnt.const_fake_quant %x {{.*}}min = [-1.01{{.*}}], max = [3.07999{{.*}}]
// CHECK: hbir.relu
// CHECK-NEXT: qnt.const_fake_quant {{.*}}min = [0.0], max = [2.5{{4|5}}{{.*}}]
// CHECK: hbir.exp
// CHECK-NEXT: qnt.const_fake_quant {{.*}}min = [0.0], max = [12.{{7|69}}{{.*}}]
func.func @ranges(%x: tensor<1x2x2x1xf32> {hbir.name = "x", hbir.observed = [-1.0, 3.08]}) -> tensor<1x2x2x1xf32> {
  %w = hbir.constant dense<1.0> : tensor<1x1x1x1xf32>
  %a = hbir.conv2d %x, %w {observed = [-9.0, 9.0]} : (tensor<1x2x2x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x2x2x1xf32>
  %b = hbir.relu %a {observed = [0.0, 2.55]} : tensor<1x2x2x1xf32>
  %c = hbir.exp %b {observed = [1.0, 12.7]} : tensor<1x2x2x1xf32>
  func.return %c : tensor<1x2x2x1xf32>
}

// RUN: hbir-opt %s -p place-ops,expand-fake-quants,lower-to-bpu,dead-code-elimination | filecheck %s

// The weight 1 over a step of 0.0625 is 16 = 2^15 · 2^-11, and t has 20 fraction bits: 2^14, shift
// 30. The bias 0.5 is 8 steps, with 8 fraction bits 2048. epsilon is 0.5 · 2^2 / 0.5^2.

// CHECK-LABEL: func.func @layernorm
// CHECK-DAG: hbir.constant dense<{{\[\[}}16384, 2048], [8192, 2048{{\]\]}}> : tensor<2x2xsi32>
// CHECK: bpu.layernorm %{{.*}}, %{{.*}}, %{{.*}} {{{.*}}epsilon = 8 : i64, shift = 30 : i64} : (tensor<3x2xsi8>, tensor<2x2xsi32>, tensor<769xsi32>) -> tensor<3x2xsi8>
func.func @layernorm(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = hbir.constant dense<[1.0, 0.5]> : tensor<2xf32>
  %b = hbir.constant dense<0.5> : tensor<2xf32>
  %q = qnt.const_fake_quant %x {min = [-62.5], max = [65.0]} : tensor<3x2xf32>
  %y = hbir.layernorm %q, %w, %b {eps = 0.5} : (tensor<3x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<3x2xf32>
  %d = qnt.const_fake_quant %y {min = [-8.0], max = [7.9375]} : tensor<3x2xf32>
  func.return %d : tensor<3x2xf32>
}

// Without the mean the input's zero point matters.

// CHECK-LABEL: func.func @rms_norm
// CHECK: bpu.layernorm %{{.*}} {{{.*}}center = false, {{.*}}inputZeroPoint = -3 : i64, shift = 30 : i64}
func.func @rms_norm(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %q = qnt.const_fake_quant %x {min = [-62.5], max = [65.0]} : tensor<3x2xf32>
  %y = hbir.rms_norm %q {eps = 0.5} : (tensor<3x2xf32>) -> tensor<3x2xf32>
  %d = qnt.const_fake_quant %y {min = [-8.0], max = [7.9375]} : tensor<3x2xf32>
  func.return %d : tensor<3x2xf32>
}

// RUN: hbir-opt %s -p mark-fusion-groups,place-ops,expand-fake-quants,lower-to-bpu,dead-code-elimination | filecheck %s

// A chain of functions of one element is one table.

// CHECK-LABEL: func.func @chain
// CHECK: %[[Q:.*]] = qnt.quantize %x
// CHECK-NEXT: %[[T:.*]] = hbir.constant {{.*}} : tensor<256xsi8>
// CHECK-NEXT: %[[Y:.*]] = bpu.lut %[[Q]], %[[T]] {{.*}}scale 2.500000e-01
// CHECK-NOT: bpu
func.func @chain(%x: tensor<4xf32>) -> tensor<4xf32> {
  %half = hbir.constant dense<0.5> : tensor<f32>
  %q = qnt.const_fake_quant %x {min = [-64.0], max = [63.5]} : tensor<4xf32>
  %a = hbir.hard_swish %q : tensor<4xf32>
  %b = hbir.mul %half, %a : (tensor<f32>, tensor<4xf32>) -> tensor<4xf32>
  %y = qnt.const_fake_quant %b {min = [-32.0], max = [31.75]} : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

// prelu has a multiplier per channel on the shift of the positive side's.

// CHECK-LABEL: func.func @prelu
// CHECK: hbir.constant {{.*}}dense<[8192, 4096]> : tensor<2xsi32>
// CHECK: bpu.prelu {{.*}}multiplier = 16384 : i64, shift = 14
func.func @prelu(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %slope = hbir.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %q = qnt.const_fake_quant %x {min = [-64.0], max = [63.5]} : tensor<1x2xf32>
  %a = hbir.prelu %q, %slope : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %y = qnt.const_fake_quant %a {min = [-64.0], max = [63.5]} : tensor<1x2xf32>
  func.return %y : tensor<1x2xf32>
}

// An int16 has segments of knots: one here, for a line is exact between any two.

// CHECK-LABEL: func.func @segments
// CHECK: hbir.constant {{.*}} : tensor<1x67xsi32>
// CHECK: bpu.lut {{.*}} : (tensor<4xsi16>, tensor<1x67xsi32>) -> tensor<4xsi8>
func.func @segments(%x: tensor<4xf32>) -> tensor<4xf32> {
  %q = qnt.const_fake_quant %x {min = [-32.0], max = [31.9990234375], bits = 16} : tensor<4xf32>
  %a = hbir.relu %q : tensor<4xf32>
  %y = qnt.const_fake_quant %a {min = [-32.0], max = [31.75]} : tensor<4xf32>
  func.return %y : tensor<4xf32>
}

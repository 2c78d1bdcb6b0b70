// RUN: hbir-opt %s -p place-ops,expand-fake-quants,lower-to-bpu,dead-code-elimination | filecheck %s

// Scales 0.5 and 0.25 into 1: multipliers of 1/2 and 1/4 on one shift; a subtraction negates one.

// CHECK-LABEL: func.func @f
// CHECK: bpu.add {{.*}}multipliers = [16384, 8192], shift = 15
// CHECK: bpu.add {{.*}}multipliers = [16384, -8192], shift = 15
// CHECK: bpu.mul {{.*}}multiplier = 16384 : i64, shift = 17
func.func @f(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %a = qnt.const_fake_quant %x {min = [-64.0], max = [63.5]} : tensor<4xf32>
  %b = qnt.const_fake_quant %y {min = [-32.0], max = [31.75]} : tensor<4xf32>
  %c = hbir.add %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %cq = qnt.const_fake_quant %c {min = [-128.0], max = [127.0]} : tensor<4xf32>
  %d = hbir.sub %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %dq = qnt.const_fake_quant %d {min = [-128.0], max = [127.0]} : tensor<4xf32>
  %e = hbir.mul %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %eq = qnt.const_fake_quant %e {min = [-128.0], max = [127.0]} : tensor<4xf32>
  func.return %cq, %dq, %eq : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// The larger of two values of one scale is that of their integers.

// CHECK-LABEL: func.func @max
// CHECK: bpu.max
func.func @max(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %a = qnt.const_fake_quant %x {min = [-64.0], max = [63.5]} : tensor<4xf32>
  %b = qnt.const_fake_quant %y {min = [-64.0], max = [63.5]} : tensor<4xf32>
  %c = hbir.max %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %d = qnt.const_fake_quant %c {min = [-64.0], max = [63.5]} : tensor<4xf32>
  func.return %d : tensor<4xf32>
}

// Scales 2^-1 and 2^-8, the latter of 16 bits. The int8 counts 2^7 times, 2^-8 then too, so both
// multipliers are full.

// CHECK-LABEL: func.func @mixed
// CHECK: bpu.add {{.*}}multipliers = [16384, 16384]{{.*}} : (tensor<4xsi8>, tensor<4xsi16>) -> tensor<4xsi16>
func.func @mixed(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %a = qnt.const_fake_quant %x {min = [-64.0], max = [63.5]} : tensor<4xf32>
  %b = qnt.const_fake_quant %y {min = [-128.0], max = [127.99609375], bits = 16} : tensor<4xf32>
  %c = hbir.add %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %d = qnt.const_fake_quant %c {min = [-256.0], max = [255.9921875], bits = 16} : tensor<4xf32>
  func.return %d : tensor<4xf32>
}

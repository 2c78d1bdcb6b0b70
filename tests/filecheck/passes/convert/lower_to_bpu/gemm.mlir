// RUN: hbir-opt %s -p mark-fusion-groups,place-ops,expand-fake-quants,lower-to-bpu,dead-code-elimination | filecheck %s

// Input scale 0.5, weight scale 1/127, output scale 1. The bias 3 is 3 / (0.5 / 127) = 762 on the
// accumulator's scale; relu6 bounds the output's integers.

// CHECK-LABEL: func.func @group
// CHECK: %[[X:.*]] = qnt.quantize %x
// CHECK: %[[R:.*]] = qnt.quantize %r
// CHECK: %[[W:.*]] = hbir.constant {{.*}}dense<{{.*}}127{{.*}}-64{{.*}}> : tensor<1x1x1x2xsi8>
// CHECK: %[[P:.*]] = hbir.constant {{.*}}dense<{{\[\[}}762, {{[0-9]+}}, {{[0-9]+}}, {{[0-9]+}}, {{-?[0-9]+}}]]> : tensor<1x5xsi32>
// CHECK: %[[Y:.*]] = bpu.conv2d %[[X]], %[[W]], %[[P]], %[[R]] {{.*}}clip = [0, 6]
// CHECK: %[[D:.*]] = qnt.dequantize %[[Y]]
// CHECK-NEXT: func.return %[[D]]
func.func @group(%x: tensor<1x1x1x2xf32>, %r: tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32> {
  %w = hbir.constant dense<[[[[1.0, -0.5]]]]> : tensor<1x1x1x2xf32>
  %b = hbir.constant dense<[3.0]> : tensor<1xf32>
  %xq = qnt.const_fake_quant %x {min = [-64.0], max = [63.5]} : tensor<1x1x1x2xf32>
  %rq = qnt.const_fake_quant %r {min = [-64.0], max = [63.5]} : tensor<1x1x1x1xf32>
  %c = hbir.conv2d %xq, %w, %b : (tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>, tensor<1xf32>) -> tensor<1x1x1x1xf32>
  %a = hbir.add %rq, %c : (tensor<1x1x1x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  %k = hbir.clip %a {min = 0.0, max = 6.0} : tensor<1x1x1x1xf32>
  %y = qnt.const_fake_quant %k {min = [-128.0], max = [127.0]} : tensor<1x1x1x1xf32>
  func.return %y : tensor<1x1x1x1xf32>
}

// A zero point of 10 is the pad value, and joins the bias: -10 * 127.

// CHECK-LABEL: func.func @zero_point
// CHECK: hbir.constant {{.*}}dense<{{\[\[}}-1270, {{[0-9]+}}, {{[0-9]+}}]]> : tensor<1x3xsi32>
// CHECK: bpu.conv2d {{.*}}padValue = 10 : i64{{.*}}outputZeroPoint = -5
func.func @zero_point(%x: tensor<1x1x1x1xf32>) -> tensor<1x3x3x1xf32> {
  %w = hbir.constant dense<[[[[1.0]]]]> : tensor<1x1x1x1xf32>
  %xq = qnt.const_fake_quant %x {min = [-138.0], max = [117.0]} : tensor<1x1x1x1xf32>
  %c = hbir.conv2d %xq, %w {pad = [1, 1, 1, 1]} : (tensor<1x1x1x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x3x3x1xf32>
  %y = qnt.const_fake_quant %c {min = [-123.0], max = [132.0]} : tensor<1x3x3x1xf32>
  func.return %y : tensor<1x3x3x1xf32>
}

// A linear layer is a 1x1 convolution of a view; unquantized, its accumulator goes out.

// CHECK-LABEL: func.func @raw
// CHECK: %[[V:.*]] = bpu.reshape %{{.*}} {{.*}}shape = [2, 1, 1, 1]
// CHECK: %[[A:.*]] = bpu.conv2d %[[V]], {{.*}}clip = [0, 2147483647]{{.*}} -> tensor<2x1x1x2xsi32>
// CHECK: %[[B:.*]] = bpu.reshape %[[A]]
// CHECK: qnt.dequantize %[[B]], %{{.*}} : (tensor<2x2xsi32>, tensor<2xf32>) -> tensor<2x2xf32>
func.func @raw(%x: tensor<2x1xf32>) -> tensor<2x2xf32> {
  %w = hbir.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %xq = qnt.const_fake_quant %x {min = [-128.0], max = [127.0]} : tensor<2x1xf32>
  %a = hbir.linear %xq, %w : (tensor<2x1xf32>, tensor<1x2xf32>) -> tensor<2x2xf32>
  %b = hbir.relu %a : tensor<2x2xf32>
  func.return %b : tensor<2x2xf32>
}

// A transposed convolution spreads its input and flips its kernel.

// CHECK-LABEL: func.func @transposed
// CHECK: hbir.constant {{.*}}dense<{{\[\[\[\[}}127], [64{{.*}} : tensor<1x1x2x1xsi8>
// CHECK: bpu.conv2d {{.*}}pad = [0, 1, 0, 1], inputDilation = [1, 2]
func.func @transposed(%x: tensor<1x1x2x1xf32>) -> tensor<1x1x4x1xf32> {
  %w = hbir.constant dense<[[[[1.0], [2.0]]]]> : tensor<1x1x2x1xf32>
  %xq = qnt.const_fake_quant %x {min = [-128.0], max = [127.0]} : tensor<1x1x2x1xf32>
  %a = hbir.convtranspose %xq, %w {stride = [1, 2]} : (tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>) -> tensor<1x1x4x1xf32>
  %y = qnt.const_fake_quant %a {min = [-128.0], max = [127.0]} : tensor<1x1x4x1xf32>
  func.return %y : tensor<1x1x4x1xf32>
}

// Fake-quantized weights keep their scale: 0.5 per step gives 2 and 4, not 64 and 127.

// CHECK-LABEL: func.func @trained
// CHECK: hbir.constant {{.*}}dense<{{.*}}2{{.*}}4{{.*}}> : tensor<2x1x1x1xsi8>
func.func @trained(%x: tensor<1x1xf32>) -> tensor<1x2xf32> {
  %w = hbir.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %wq = qnt.const_fake_quant %w {min = [-63.5], max = [63.5], narrowRange = true} : tensor<1x2xf32>
  %xq = qnt.const_fake_quant %x {min = [-128.0], max = [127.0]} : tensor<1x1xf32>
  %a = hbir.linear %xq, %wq : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  %y = qnt.const_fake_quant %a {min = [-128.0], max = [127.0]} : tensor<1x2xf32>
  func.return %y : tensor<1x2xf32>
}

// int16 by int16 weights, whose fake-quant says so: 2.0 is 32767, and the clip is in int16.

// CHECK-LABEL: func.func @wide
// CHECK: hbir.constant {{.*}}dense<{{.*}}32767{{.*}}-16384{{.*}}> : tensor<1x1x1x2xsi16>
// CHECK: bpu.conv2d {{.*}}clip = [0, 32767]{{.*}} : (tensor<1x1x1x2xsi16>, tensor<1x1x1x2xsi16>, tensor<1x3xsi32>) -> tensor<1x1x1x1xsi16>
func.func @wide(%x: tensor<1x1x1x2xf32>) -> tensor<1x1x1x1xf32> {
  %w = hbir.constant dense<[[[[2.0, -1.0]]]]> : tensor<1x1x1x2xf32>
  %xq = qnt.const_fake_quant %x {min = [-64.0], max = [63.998046875], bits = 16} : tensor<1x1x1x2xf32>
  %wq = qnt.const_fake_quant %w {min = [-2.0], max = [2.0], axis = 0, narrowRange = true, bits = 16} : tensor<1x1x1x2xf32>
  %c = hbir.conv2d %xq, %wq {fusion_group = 9 : i64} : (tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>) -> tensor<1x1x1x1xf32>
  %r = hbir.relu %c {fusion_group = 9 : i64} : tensor<1x1x1x1xf32>
  %y = qnt.const_fake_quant %r {min = [-128.0], max = [127.99609375], bits = 16} : tensor<1x1x1x1xf32>
  func.return %y : tensor<1x1x1x1xf32>
}

// RUN: hbir-opt %s -p expand-fake-quants,dead-code-elimination | filecheck %s

// Ranges become float32 scales and zero points; constants become their integers.

// CHECK-LABEL: func.func @f
// CHECK: %[[Q:.*]] = qnt.quantize %x {{.*}}zeroPoint = -128 : i64, scale = 5.000000e-01 : f32} : tensor<2xf32> to tensor<2xsi8>
// CHECK: %[[D:.*]] = qnt.dequantize %[[Q]], %{{.*}}zeroPoint = -128
// CHECK: %[[C:.*]] = hbir.constant {{.*}}dense<[2, -4]> : tensor<2xsi8>
// CHECK: %[[E:.*]] = qnt.dequantize %[[C]]
// CHECK: hbir.add %[[D]], %[[E]]
func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = hbir.constant dense<[1.0, -2.0]> : tensor<2xf32>
  %a = qnt.const_fake_quant %x {min = [0.0], max = [127.5]} : tensor<2xf32>
  %b = qnt.const_fake_quant %c {min = [-64.0], max = [63.5]} : tensor<2xf32>
  %d = hbir.add %a, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %d : tensor<2xf32>
}

// The fake-quant of weights stays for the lowering.

// CHECK-LABEL: func.func @weights
// CHECK: qnt.const_fake_quant {{.*}}axis = 1
func.func @weights(%x: tensor<1x1xf32>) -> tensor<1x2xf32> {
  %w = hbir.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %q = qnt.const_fake_quant %w {min = [-1.0, -2.0], max = [1.0, 2.0], narrowRange = true, axis = 1} : tensor<1x2xf32>
  %y = hbir.linear %x, %q : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>
  func.return %y : tensor<1x2xf32>
}

// float16 has scale 1; constants are rounded to it.

// CHECK-LABEL: func.func @float16
// CHECK: %[[Q:.*]] = qnt.quantize %x {{.*}}scale = 1.000000e+00 : f32} : tensor<2xf32> to tensor<2xf16>
// CHECK: qnt.dequantize %[[Q]], %{{.*}} : (tensor<2xf16>, tensor<1xf32>) -> tensor<2xf32>
// CHECK: %[[C:.*]] = hbir.constant {{.*}}dense<[1.000000e+00, 1.000980e-01]> : tensor<2xf16>
// CHECK: qnt.dequantize %[[C]]
func.func @float16(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = hbir.constant dense<[1.0, 0.1001]> : tensor<2xf32>
  %a = hbir.fake_cast %x {dtype = f16} : tensor<2xf32>
  %b = hbir.fake_cast %c {dtype = f16} : tensor<2xf32>
  %d = hbir.add %a, %b : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %d : tensor<2xf32>
}

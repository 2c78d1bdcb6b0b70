// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Where values become integers.

// CHECK-LABEL: func.func @per_tensor
// CHECK:         qnt.const_fake_quant %{{.*}} {min = [-12.8], max = [12.7]} : tensor<1x4x4x3xf32>
// CHECK:         qnt.const_fake_quant %{{.*}} {bits = 16 : i64, min = [-1.0], max = [1.0], narrowRange = true, illegal} : tensor<1x4x4x3xf32>
// GENERIC-LABEL: sym_name = "per_tensor"
// GENERIC:       "qnt.const_fake_quant"(%x) <{bits = 8 : i64, narrowRange = false, min = [-12.8], max = [12.7]}>
func.func @per_tensor(%x: tensor<1x4x4x3xf32>) -> tensor<1x4x4x3xf32> {
  %0 = qnt.const_fake_quant %x {bits = 8, narrowRange = false, min = [-12.8], max = [12.7]} : tensor<1x4x4x3xf32>
  %1 = qnt.const_fake_quant %0 {bits = 16 : i64, min = [-1.0], max = [1.0], narrowRange = true, illegal} : tensor<1x4x4x3xf32>
  func.return %1 : tensor<1x4x4x3xf32>
}

// CHECK-LABEL: func.func @per_channel
// CHECK:         qnt.const_fake_quant %{{.*}} {min = [-1.0, -2.0, 0.0], max = [1.0, 2.0, 1.0e-07], axis = -1 : i64} : tensor<4x3xf32>
func.func @per_channel(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %0 = qnt.const_fake_quant %x {min = [-1.0, -2.0, 0.0], max = [1.0, 2.0, 1.0e-07], axis = -1 : i64} : tensor<4x3xf32>
  func.return %0 : tensor<4x3xf32>
}

// CHECK-LABEL: func.func @edges
// CHECK:         qnt.quantize %{{.*}} {scale = 5.000000e-01 : f32} : tensor<4x3xf32> to tensor<4x3xsi8>
// CHECK:         qnt.quantize %{{.*}} {scale = 5.000000e-01 : f32, zeroPoint = -300 : i64} : tensor<4x3xf32> to tensor<4x3xsi16>
// CHECK:         qnt.dequantize %{{.*}}, %{{.*}} : (tensor<4x3xsi8>, tensor<1xf32>) -> tensor<4x3xf32>
// CHECK:         qnt.dequantize %{{.*}}, %{{.*}} {zeroPoint = -300 : i64} : (tensor<4x3xsi16>, tensor<3xf32>) -> tensor<4x3xf32>
// GENERIC-LABEL: sym_name = "edges"
// GENERIC:       "qnt.quantize"(%x) <{scale = 5.000000e-01 : f32, zeroPoint = 0 : i64}>
func.func @edges(%x: tensor<4x3xf32>, %s: tensor<1xf32>, %c: tensor<3xf32>) -> tensor<4x3xf32> {
  %0 = qnt.quantize %x {scale = 5.000000e-01 : f32} : tensor<4x3xf32> to tensor<4x3xsi8>
  %1 = qnt.quantize %x {scale = 5.000000e-01 : f32, zeroPoint = -300 : i64} : tensor<4x3xf32> to tensor<4x3xsi16>
  %2 = qnt.dequantize %0, %s : (tensor<4x3xsi8>, tensor<1xf32>) -> tensor<4x3xf32>
  %3 = qnt.dequantize %1, %c {zeroPoint = -300 : i64} : (tensor<4x3xsi16>, tensor<3xf32>) -> tensor<4x3xf32>
  func.return %3 : tensor<4x3xf32>
}

// float16 has scale 1: what it is quantized from or dequantized to is a number.

// CHECK-LABEL: func.func @float16
// CHECK:         qnt.quantize %{{.*}} {scale = 1.000000e+00 : f32} : tensor<4x3xf32> to tensor<4x3xf16>
// CHECK:         qnt.quantize %{{.*}} {scale = 5.000000e-01 : f32, zeroPoint = -3 : i64} : tensor<4x3xf16> to tensor<4x3xsi8>
// CHECK:         qnt.dequantize %{{.*}}, %{{.*}} {zeroPoint = -3 : i64} : (tensor<4x3xsi8>, tensor<1xf32>) -> tensor<4x3xf16>
// CHECK:         qnt.dequantize %{{.*}}, %{{.*}} : (tensor<4x3xf16>, tensor<1xf32>) -> tensor<4x3xf32>
func.func @float16(%x: tensor<4x3xf32>, %s: tensor<1xf32>) -> tensor<4x3xf32> {
  %0 = qnt.quantize %x {scale = 1.0 : f32} : tensor<4x3xf32> to tensor<4x3xf16>
  %1 = qnt.quantize %0 {scale = 0.5 : f32, zeroPoint = -3} : tensor<4x3xf16> to tensor<4x3xsi8>
  %2 = qnt.dequantize %1, %s {zeroPoint = -3} : (tensor<4x3xsi8>, tensor<1xf32>) -> tensor<4x3xf16>
  %3 = qnt.dequantize %2, %s : (tensor<4x3xf16>, tensor<1xf32>) -> tensor<4x3xf32>
  func.return %3 : tensor<4x3xf32>
}

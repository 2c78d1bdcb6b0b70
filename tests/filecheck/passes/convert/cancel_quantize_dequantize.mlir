// RUN: hbir-opt %s -p cancel-quantize-dequantize,dead-code-elimination | filecheck %s

// Equal scales cancel; 0.5 / 0.25 = 2 = 16384 * 2^-13 is a requantization.

// CHECK-LABEL: func.func @f
// CHECK-NEXT: %[[R:.*]] = bpu.rescale %x {{.*}}multiplier = 16384 : i64, shift = 13 : i64
// CHECK-NEXT: func.return %x, %[[R]]
func.func @f(%x: tensor<4xsi8>) -> (tensor<4xsi8>, tensor<4xsi8>) {
  %s = hbir.constant dense<[0.5]> : tensor<1xf32>
  %d = qnt.dequantize %x, %s : (tensor<4xsi8>, tensor<1xf32>) -> tensor<4xf32>
  %a = qnt.quantize %d {scale = 0.5 : f32} : tensor<4xf32> to tensor<4xsi8>
  %b = qnt.quantize %d {scale = 0.25 : f32} : tensor<4xf32> to tensor<4xsi8>
  func.return %a, %b : tensor<4xsi8>, tensor<4xsi8>
}

// Between float16 and integers one of the two remains; float16 twice is once.

// CHECK-LABEL: func.func @float16
// CHECK: %[[A:.*]] = qnt.quantize %x {{.*}}scale = 5.000000e-01 : f32} : tensor<4xf16> to tensor<4xsi8>
// CHECK: %[[B:.*]] = qnt.dequantize %y, %{{.*}}zeroPoint = 3 : i64} : (tensor<4xsi8>, tensor<1xf32>) -> tensor<4xf16>
// CHECK: func.return %[[A]], %[[B]], %x
func.func @float16(%x: tensor<4xf16>, %y: tensor<4xsi8>) -> (tensor<4xsi8>, tensor<4xf16>, tensor<4xf16>) {
  %one = hbir.constant dense<[1.0]> : tensor<1xf32>
  %s = hbir.constant dense<[0.25]> : tensor<1xf32>
  %d = qnt.dequantize %x, %one : (tensor<4xf16>, tensor<1xf32>) -> tensor<4xf32>
  %a = qnt.quantize %d {scale = 0.5 : f32} : tensor<4xf32> to tensor<4xsi8>
  %e = qnt.dequantize %y, %s {zeroPoint = 3} : (tensor<4xsi8>, tensor<1xf32>) -> tensor<4xf32>
  %b = qnt.quantize %e {scale = 1.0 : f32} : tensor<4xf32> to tensor<4xf16>
  %c = qnt.quantize %d {scale = 1.0 : f32} : tensor<4xf32> to tensor<4xf16>
  func.return %a, %b, %c : tensor<4xsi8>, tensor<4xf16>, tensor<4xf16>
}

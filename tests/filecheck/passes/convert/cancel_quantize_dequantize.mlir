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

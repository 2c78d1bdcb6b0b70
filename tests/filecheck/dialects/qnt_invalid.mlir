// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// What shape inference refuses, and what it says.

// CHECK: error: qnt.const_fake_quant ({{.*}}): min must have 3 entries (one per channel), got 2
func.func @f(%x: tensor<4x3xf32>) {
  %0 = qnt.const_fake_quant %x {min = [-1.0, -2.0], max = [1.0, 2.0], axis = 1} : tensor<4x3xf32>
  func.return
}

// -----

// CHECK: error: qnt.const_fake_quant ({{.*}}): min must have 1 entries, got 3
func.func @f(%x: tensor<4x3xf32>) {
  %0 = qnt.const_fake_quant %x {min = [-1.0, -2.0, 0.0], max = [1.0, 2.0, 0.0]} : tensor<4x3xf32>
  func.return
}

// -----

// CHECK: error: qnt.const_fake_quant ({{.*}}): minimum 1.0 exceeds maximum -1.0 (channel 0)
func.func @f(%x: tensor<4x3xf32>) {
  %0 = qnt.const_fake_quant %x {min = [1.0], max = [-1.0]} : tensor<4x3xf32>
  func.return
}

// -----

// CHECK: error: qnt.const_fake_quant ({{.*}}): bits must be 2..16, got 17
func.func @f(%x: tensor<4x3xf32>) {
  %0 = qnt.const_fake_quant %x {bits = 17, min = [-1.0], max = [1.0]} : tensor<4x3xf32>
  func.return
}

// -----

// CHECK: error: qnt.const_fake_quant ({{.*}}): a quantization range must be finite; its data holds inf or nan
func.func @f(%x: tensor<4x3xf32>) {
  %0 = qnt.const_fake_quant %x {min = [-1.0], max = [0x7FF0000000000000 : f64]} : tensor<4x3xf32>
  func.return
}

// -----

// CHECK: error: qnt.quantize ({{.*}}): scale must be positive and finite, got 0.0
func.func @f(%x: tensor<4x3xf32>) {
  %0 = qnt.quantize %x {scale = 0.0 : f32} : tensor<4x3xf32> to tensor<4x3xsi8>
  func.return
}

// -----

// CHECK: error: qnt.quantize ({{.*}}): zeroPoint must be in -128..127, got 128
func.func @f(%x: tensor<4x3xf32>) {
  %0 = qnt.quantize %x {scale = 0.5 : f32, zeroPoint = 128} : tensor<4x3xf32> to tensor<4x3xsi8>
  func.return
}

// -----

// CHECK: error: qnt.quantize ({{.*}}): result has element type si32, allowed are si8, si16
func.func @f(%x: tensor<4x3xf32>) {
  %0 = qnt.quantize %x {scale = 0.5 : f32} : tensor<4x3xf32> to tensor<4x3xsi32>
  func.return
}

// -----

// CHECK: error: qnt.dequantize ({{.*}}): scale must be (1,) or one per channel of q of shape [4, 3], got [4]
func.func @f(%x: tensor<4x3xsi8>, %s: tensor<4xf32>) {
  %0 = qnt.dequantize %x, %s : (tensor<4x3xsi8>, tensor<4xf32>) -> tensor<4x3xf32>
  func.return
}

// -----

// CHECK: error: qnt.dequantize ({{.*}}): q must hold si8, si16, si32 or f16, got f32
func.func @f(%x: tensor<4x3xf32>, %s: tensor<1xf32>) {
  %0 = qnt.dequantize %x, %s : (tensor<4x3xf32>, tensor<1xf32>) -> tensor<4x3xf32>
  func.return
}

// -----

// CHECK: error: qnt.quantize ({{.*}}): f16 has scale 1 and zeroPoint 0
func.func @f(%x: tensor<4x3xf32>) {
  %0 = qnt.quantize %x {scale = 0.5 : f32} : tensor<4x3xf32> to tensor<4x3xf16>
  func.return
}

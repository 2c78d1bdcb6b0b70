// RUN: hbir-opt %s -p verify-quantized --verify-diagnostics --split-input-file | filecheck %s

// CHECK: hbir.exp{{.*}}: this op does not belong on the quantized level
func.func @float_op(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = hbir.exp %x : tensor<4xf32>
  func.return %a : tensor<4xf32>
}

// -----

// CHECK: hbtl.call{{.*}}: a CPU op must say why it is not on the BPU (reason)
func.func @no_reason(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = hbtl.call "native::hbir.exp"(%x) : (tensor<4xf32>) -> tensor<4xf32>
  func.return %a : tensor<4xf32>
}

// -----

// A multiplier of 1/2 between equal scales.

// CHECK: bpu.rescale{{.*}}: multiplier 0 is 0.5, the scales give 1
func.func @wrong_multiplier(%x: tensor<4xf32>) -> tensor<4xsi8> {
  %a = qnt.quantize %x {scale = 0.5 : f32, origin = #hbir.origin<"x", scale 0.5 : f32>} : tensor<4xf32> to tensor<4xsi8>
  %b = bpu.rescale %a {multiplier = 16384, shift = 15, origin = #hbir.origin<"y", scale 0.5 : f32>} : (tensor<4xsi8>) -> tensor<4xsi8>
  func.return %b : tensor<4xsi8>
}

// -----

// CHECK: bpu.conv2d{{.*}}: the accumulator of channel 0 can reach
func.func @overflow(%x: tensor<1x1x1x2xsi8>) -> tensor<1x1x1x1xsi8> {
  %w = hbir.constant dense<127> : tensor<1x1x1x2xsi8>
  %qpp = hbir.constant dense<[[2147483647, 16384, 15]]> : tensor<1x3xsi32>
  %a = bpu.conv2d %x, %w, %qpp : (tensor<1x1x1x2xsi8>, tensor<1x1x1x2xsi8>, tensor<1x3xsi32>) -> tensor<1x1x1x1xsi8>
  func.return %a : tensor<1x1x1x1xsi8>
}

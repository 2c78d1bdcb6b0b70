// RUN: hbir-opt %s -p verify-float --verify-diagnostics --split-input-file | filecheck %s

// CHECK: func.func @good
func.func @good(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = hbir.exp %x : tensor<4xf32>
  func.return %a : tensor<4xf32>
}

// -----

// CHECK: qnt.quantize{{.*}}: this op does not belong on the float level
func.func @quantized(%x: tensor<4xf32>) -> tensor<4xsi8> {
  %a = qnt.quantize %x {scale = 0.5 : f32} : tensor<4xf32> to tensor<4xsi8>
  func.return %a : tensor<4xsi8>
}

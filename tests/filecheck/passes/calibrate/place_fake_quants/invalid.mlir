// RUN: hbir-opt %s -p place-fake-quants --verify-diagnostics --split-input-file | filecheck %s

// CHECK: is to be quantized but has no observed range; run calibrate with at least one batch
func.func @unobserved(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = hbir.exp %x : tensor<4xf32>
  func.return %a : tensor<4xf32>
}

// -----

// CHECK: hbir.exp{{.*}}: observed must be [low, high] per result
func.func @reversed(%x: tensor<4xf32>) -> tensor<4xf32> {
  %a = hbir.exp %x {observed = [2.0, 1.0]} : tensor<4xf32>
  func.return %a : tensor<4xf32>
}

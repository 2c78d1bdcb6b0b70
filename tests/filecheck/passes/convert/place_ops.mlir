// RUN: hbir-opt %s -p place-ops | filecheck %s

// Quantized on both sides: the BPU. Otherwise the CPU, and why.

// CHECK-LABEL: func.func @f
// CHECK: hbir.exp %{{[a-z0-9_]+}} {placement = "bpu"}
// CHECK: hbir.tanh {{.*}}placement = "cpu", reason = "its result {{.*}} is not quantized
// CHECK-NEXT: hbir.sigmoid {{.*}}placement = "cpu", reason = "its operand {{.*}} is not quantized
func.func @f(%x: tensor<4xf32>) -> tensor<4xf32> {
  %q = qnt.const_fake_quant %x {min = [-1.28], max = [1.27]} : tensor<4xf32>
  %a = hbir.exp %q : tensor<4xf32>
  %b = qnt.const_fake_quant %a {min = [-1.28], max = [1.27]} : tensor<4xf32>
  %c = hbir.tanh %b : tensor<4xf32>
  %d = hbir.sigmoid %c : tensor<4xf32>
  func.return %d : tensor<4xf32>
}

// The rule that an op breaks is its reason; a convolution's accumulator may go out unquantized.

// CHECK-LABEL: func.func @rules
// CHECK: hbir.layernorm {{.*}}placement = "cpu", reason = "It must be over the last axis, to which decompose-layernorm moves all others; this one is over [0]
// CHECK: hbir.linear {{.*}}placement = "bpu"
func.func @rules(%x: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x1xf32>) {
  %q = qnt.const_fake_quant %x {min = [-1.28], max = [1.27]} : tensor<2x2xf32>
  %a = hbir.layernorm %q {dims = [0]} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %w = hbir.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %b = hbir.linear %q, %w : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  func.return %a, %b : tensor<2x2xf32>, tensor<2x1xf32>
}

// Scatters have no BPU form; a table that doesn't fit on chip is indexed by the CPU.

// CHECK-LABEL: func.func @indexing
// CHECK: hbir.scatter_nd {{.*}}placement = "cpu", reason = "hbir.scatter_nd has no BPU form"
// CHECK: hbir.index {{.*}}placement = "cpu", reason = "40000 places that it may read at any time need 656384 bytes on chip, the smallest march has 524288"
func.func @indexing(%x: tensor<40000x2xf32>, %i: tensor<3x1xsi64>, %u: tensor<3x2xf32>, %j: tensor<5xsi64>) -> (tensor<40000x2xf32>, tensor<5x2xf32>) {
  %a = hbir.scatter_nd %x, %i, %u : (tensor<40000x2xf32>, tensor<3x1xsi64>, tensor<3x2xf32>) -> tensor<40000x2xf32>
  %q = qnt.const_fake_quant %x {min = [-1.28], max = [1.27]} : tensor<40000x2xf32>
  %b = hbir.index %q, %j : (tensor<40000x2xf32>, tensor<5xsi64>) -> tensor<5x2xf32>
  %c = qnt.const_fake_quant %b {min = [-1.28], max = [1.27]} : tensor<5x2xf32>
  func.return %a, %c : tensor<40000x2xf32>, tensor<5x2xf32>
}

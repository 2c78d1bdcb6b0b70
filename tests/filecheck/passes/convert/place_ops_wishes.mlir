// RUN: hbir-opt %s -p 'place-ops{run_on_cpu="Exp_0" disabled="SPU"}' | filecheck %s
// RUN: not hbir-opt %s -p 'place-ops{run_on_bpu="Exp_0","Norm_2"}' 2>&1 | filecheck %s --check-prefix=REFUSED

// A node goes to the CPU when its user wants it there, and others stay.

// CHECK-LABEL: func.func @wanted
// CHECK: hbir.exp {{.*}}placement = "cpu", reason = "the user wants \22Exp_0\22 on the CPU"
// CHECK: hbir.tanh {{.*}}placement = "bpu"
func.func @wanted(%x: tensor<4xf32>) -> tensor<4xf32> {
  %q = qnt.const_fake_quant %x {min = [-1.28], max = [1.27]} : tensor<4xf32>
  %a = hbir.exp %q {origin = #hbir.origin<"a", from "Exp_0" "Exp">} : tensor<4xf32>
  %b = qnt.const_fake_quant %a {min = [-1.28], max = [1.27]} : tensor<4xf32>
  %c = hbir.tanh %b {origin = #hbir.origin<"c", from "Tanh_1" "Tanh">} : tensor<4xf32>
  %d = qnt.const_fake_quant %c {min = [-1.28], max = [1.27]} : tensor<4xf32>
  func.return %d : tensor<4xf32>
}

// Whoever knew it earlier wrote it on the ops; no trace is left of it. An op that many nodes became
// names the first of those that are wanted there.

// CHECK-LABEL: func.func @marked
// CHECK: hbir.exp
// CHECK-NOT: run_on_cpu
// CHECK-SAME: reason = "the user wants \22Exp_9\22 on the CPU"
// CHECK: hbir.tanh {{.*}}placement = "cpu", reason = "the user wants \22Exp_0\22 on the CPU"
func.func @marked(%x: tensor<4xf32>) -> tensor<4xf32> {
  %q = qnt.const_fake_quant %x {min = [-1.28], max = [1.27]} : tensor<4xf32>
  %a = hbir.exp %q {run_on_cpu = "Exp_9"} : tensor<4xf32>
  %b = qnt.const_fake_quant %a {min = [-1.28], max = [1.27]} : tensor<4xf32>
  %c = hbir.tanh %b {origin = #hbir.origin<"c", from "Tanh_1" "Tanh", "Exp_0" "Exp">} : tensor<4xf32>
  %d = qnt.const_fake_quant %c {min = [-1.28], max = [1.27]} : tensor<4xf32>
  func.return %d : tensor<4xf32>
}

// The ops of a fusion group go together, whichever of them is wanted there.

// CHECK-LABEL: func.func @group
// CHECK: hbir.linear {{.*}}placement = "cpu", reason = "the user wants \22Exp_0\22 on the CPU"
// CHECK: hbir.relu {{.*}}placement = "cpu", reason = "the user wants \22Exp_0\22 on the CPU"
func.func @group(%x: tensor<2x2xf32>) -> tensor<2x1xf32> {
  %q = qnt.const_fake_quant %x {min = [-1.28], max = [1.27]} : tensor<2x2xf32>
  %w = hbir.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %a = hbir.linear %q, %w {fusion_group = 0 : i64} : (tensor<2x2xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
  %b = hbir.relu %a {fusion_group = 0 : i64, origin = #hbir.origin<"b", from "Exp_0" "Relu">} : tensor<2x1xf32>
  func.return %b : tensor<2x1xf32>
}

// An engine that is disabled sends what it would run to the CPU.

// CHECK-LABEL: func.func @disabled
// CHECK: hbir.topk {{.*}}placement = "cpu", reason = "the SPU runs it, which is disabled"
func.func @disabled(%x: tensor<9xf32>) -> tensor<2xsi64> {
  %q = qnt.const_fake_quant %x {min = [-1.28], max = [1.27]} : tensor<9xf32>
  %i = hbir.topk %q {k = 2} : (tensor<9xf32>) -> tensor<2xsi64>
  func.return %i : tensor<2xsi64>
}

// What breaks a rule can't be wanted on the BPU: the rule is the message.

// REFUSED: node "Norm_2" is wanted on the BPU, but can't run there: It must be over the last axis
func.func @refused(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %q = qnt.const_fake_quant %x {min = [-1.28], max = [1.27]} : tensor<2x2xf32>
  %a = hbir.layernorm %q {dims = [0], origin = #hbir.origin<"n", from "Norm_2" "LayerNormalization">} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %b = qnt.const_fake_quant %a {min = [-1.28], max = [1.27]} : tensor<2x2xf32>
  func.return %b : tensor<2x2xf32>
}

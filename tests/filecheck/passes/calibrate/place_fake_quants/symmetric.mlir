// RUN: hbir-opt %s -p mark-fusion-groups,place-fake-quants | filecheck %s

// At the input and behind the group, not inside it. 1.27 / 127 = 0.01, so the range starts at -1.28.
// The last convolution feeds an output alone: its accumulator goes out as it is.

// CHECK-LABEL: func.func @group
// CHECK-NOT: observed
// CHECK: %[[X:.*]] = qnt.const_fake_quant %x {{.*}}min = [-1.27{{9|8}}{{.*}}], max = [1.26{{9|8}}{{.*}}]
// CHECK: %[[C:.*]] = hbir.conv2d %[[X]]
// CHECK-NEXT: %[[R:.*]] = hbir.relu %[[C]]
// CHECK-NEXT: %[[Q:.*]] = qnt.const_fake_quant %[[R]] {{.*}}max = [{{2.5[34].*}}]
// CHECK-NEXT: %[[D:.*]] = hbir.conv2d %[[Q]]
// CHECK-NEXT: func.return %[[D]]
func.func @group(%x: tensor<1x2x2x1xf32> {hbir.name = "x", hbir.observed = [-1.0, 1.27]}) -> tensor<1x2x2x1xf32> {
  %w = hbir.constant dense<1.0> : tensor<1x1x1x1xf32>
  %a = hbir.conv2d %x, %w {observed = [-9.0, 9.0]} : (tensor<1x2x2x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x2x2x1xf32>
  %b = hbir.relu %a {observed = [0.0, 2.54]} : tensor<1x2x2x1xf32>
  %c = hbir.conv2d %b, %w {observed = [-9.0, 9.0]} : (tensor<1x2x2x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x2x2x1xf32>
  func.return %c : tensor<1x2x2x1xf32>
}

// A CPU op's operand stays float for it; its result is quantized for the BPU op that reads it.

// CHECK-LABEL: func.func @cpu
// CHECK-NOT: const_fake_quant %x
// CHECK: %[[M:.*]] = hbir.groupnorm %x, %y
// CHECK-NEXT: %[[Q:.*]] = qnt.const_fake_quant %[[M]]
// CHECK-NEXT: %[[E:.*]] = hbir.exp %[[Q]]
// CHECK-NEXT: qnt.const_fake_quant %[[E]]
func.func @cpu(%x: tensor<2x2xf32> {hbir.observed = [-1.0, 1.0]}, %y: tensor<2xf32> {hbir.observed = [-1.0, 1.0]}) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %a = hbir.groupnorm %x, %y {observed = [-2.0, 2.0]} : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  %b = hbir.exp %a {observed = [0.0, 8.0]} : tensor<2x2xf32>
  func.return %a, %b : tensor<2x2xf32>, tensor<2x2xf32>
}

// What its user keeps on the CPU stays float like any other op of the CPU.

// CHECK-LABEL: func.func @wanted_on_cpu
// CHECK-NOT: const_fake_quant %x
// CHECK: %[[S:.*]] = hbir.softmax %x
// CHECK-NEXT: %[[Q:.*]] = qnt.const_fake_quant %[[S]]
// CHECK-NEXT: hbir.exp %[[Q]]
func.func @wanted_on_cpu(%x: tensor<2x2xf32> {hbir.observed = [-1.0, 1.0]}) -> tensor<2x2xf32> {
  %a = hbir.softmax %x {dim = 1, run_on_cpu = "Softmax_0", observed = [0.0, 1.0]} : tensor<2x2xf32>
  %b = hbir.exp %a {observed = [0.0, 8.0]} : tensor<2x2xf32>
  func.return %b : tensor<2x2xf32>
}

// The range of a sigmoid follows from the function; its input's ends where it saturates.

// CHECK-LABEL: func.func @analytic
// CHECK: qnt.const_fake_quant %x {{.*}}max = [{{[67]\..*}}]
// CHECK: hbir.sigmoid
// CHECK-NEXT: qnt.const_fake_quant {{.*}}min = [-1.007{{.*}}], max = [0.99999{{.*}}]
func.func @analytic(%x: tensor<4xf32> {hbir.observed = [-90.0, 700.0]}) -> tensor<4xf32> {
  %a = hbir.sigmoid %x {observed = [0.2, 0.3]} : tensor<4xf32>
  func.return %a : tensor<4xf32>
}

// What a concat ties together gets one range; moves keep it and need none of their own.

// CHECK-LABEL: func.func @tied
// CHECK-DAG: qnt.const_fake_quant %x {{.*}}max = [{{3.99.*|4.0.*}}]
// CHECK-DAG: qnt.const_fake_quant %y {{.*}}max = [{{3.99.*|4.0.*}}]
// CHECK: hbir.reshape
// CHECK-NEXT: hbir.concat
// CHECK-NEXT: hbir.exp
func.func @tied(%x: tensor<1x4xf32> {hbir.observed = [-1.0, 1.0]}, %y: tensor<4xf32> {hbir.observed = [-4.0, 4.0]}) -> tensor<2x4xf32> {
  %a = hbir.reshape %y {observed = [-4.0, 4.0], shape = [1, 4]} : (tensor<4xf32>) -> tensor<1x4xf32>
  %b = hbir.concat %x, %a {observed = [-4.0, 4.0], dim = 0} : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<2x4xf32>
  %c = hbir.exp %b {observed = [0.0, 50.0]} : tensor<2x4xf32>
  func.return %c : tensor<2x4xf32>
}

// An op that wants 16 bits gets them, and another reader of the same tensor gets 8 again. What 16
// bits hold are the extremes, symmetric.

// CHECK-LABEL: func.func @mixed
// CHECK-NOT: input_bits
// CHECK: %[[W:.*]] = qnt.const_fake_quant %x {bits = 16 : i64, min = [-8.0{{.*}}], max = [7.99{{.*}}]}
// CHECK-NEXT: %[[N:.*]] = qnt.const_fake_quant %[[W]] {min = [-4.0{{.*}}], max = [3.99{{.*}}]}
// CHECK-NEXT: hbir.exp %[[W]]
// CHECK: hbir.tanh %[[N]]
func.func @mixed(%x: tensor<4xf32> {hbir.observed = [-4.0, 4.0], hbir.observed_extremes = [-8.0, 8.0]}) -> (tensor<4xf32>, tensor<4xf32>) {
  %a = hbir.exp %x {observed = [0.0, 50.0], input_bits = [16]} : tensor<4xf32>
  %b = hbir.tanh %x {observed = [-1.0, 1.0]} : tensor<4xf32>
  func.return %a, %b : tensor<4xf32>, tensor<4xf32>
}

// A tensor with 16 bits has them for all readers but those that want 8, also behind a move.

// CHECK-LABEL: func.func @given
// CHECK-NOT: output_bits
// CHECK: %[[X:.*]] = qnt.const_fake_quant %x {bits = 16
// CHECK-NEXT: %[[M:.*]] = hbir.reshape %[[X]]
// CHECK-NEXT: %[[W:.*]] = qnt.const_fake_quant %[[M]] {bits = 16
// CHECK-NEXT: %[[N:.*]] = qnt.const_fake_quant %[[W]] {min
// CHECK-NEXT: %[[A:.*]] = hbir.exp %[[M]]
// CHECK-NEXT: qnt.const_fake_quant %[[A]] {bits = 16
// CHECK-NEXT: hbir.tanh %[[N]]
func.func @given(%x: tensor<4xf32> {hbir.observed = [-4.0, 4.0], hbir.output_bits = 16}) -> (tensor<4xf32>, tensor<4xf32>) {
  %r = hbir.reshape %x {shape = [4]} : (tensor<4xf32>) -> tensor<4xf32>
  %a = hbir.exp %r {observed = [0.0, 50.0], output_bits = 16} : tensor<4xf32>
  %b = hbir.tanh %r {observed = [-1.0, 1.0], input_bits = [8]} : tensor<4xf32>
  func.return %a, %b : tensor<4xf32>, tensor<4xf32>
}

// Weights of 16 bits have a fake-quant per output channel; the accumulator doesn't go out.

// CHECK-LABEL: func.func @weights
// CHECK: %[[W:.*]] = qnt.const_fake_quant %{{.*}} {bits = 16 : i64, narrowRange = true, min = [-2.0, -0.5], max = [2.0, 0.5], axis = 0
// CHECK-NEXT: %[[C:.*]] = hbir.conv2d %{{.*}}, %[[W]]
// CHECK-NEXT: qnt.const_fake_quant %[[C]]
func.func @weights(%x: tensor<1x1x1x2xf32> {hbir.observed = [-4.0, 4.0]}) -> tensor<1x1x1x2xf32> {
  %w = hbir.constant dense<[[[[1.0, -2.0]]], [[[0.5, 0.25]]]]> : tensor<2x1x1x2xf32>
  %a = hbir.conv2d %x, %w {observed = [-9.0, 9.0], input_bits = [0, 16]} : (tensor<1x1x1x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  func.return %a : tensor<1x1x1x2xf32>
}

// What one op wants as float16 is that, whatever its range; the convolution gets integers of it.

// CHECK-LABEL: func.func @float16
// CHECK-NOT: input_bits
// CHECK: %[[F:.*]] = hbir.fake_cast %x {dtype = f16}
// CHECK-NEXT: %[[N:.*]] = qnt.const_fake_quant %[[F]] {min = [-4.0{{.*}}], max = [3.99{{.*}}]}
// CHECK: %[[E:.*]] = hbir.exp %[[F]]
// CHECK-NEXT: qnt.const_fake_quant %[[E]] {min
// CHECK: %[[C:.*]] = hbir.conv2d %[[N]]
// CHECK-NEXT: %[[G:.*]] = hbir.fake_cast %[[C]]
// CHECK-NEXT: %[[T:.*]] = hbir.tanh %[[G]]
// CHECK-NEXT: hbir.fake_cast %[[T]]
func.func @float16(%x: tensor<1x1x1x2xf32> {hbir.observed = [-4.0, 4.0]}) -> (tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>) {
  %w = hbir.constant dense<[[[[1.0, -2.0]]], [[[0.5, 0.25]]]]> : tensor<2x1x1x2xf32>
  %a = hbir.exp %x {observed = [0.0, 50.0], input_bits = ["float16"]} : tensor<1x1x1x2xf32>
  %b = hbir.conv2d %x, %w {observed = [-9.0, 9.0], output_bits = "float16"} : (tensor<1x1x1x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  %c = hbir.tanh %b {observed = [-1.0, 1.0], output_bits = "float16"} : tensor<1x1x1x2xf32>
  func.return %a, %c : tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>
}

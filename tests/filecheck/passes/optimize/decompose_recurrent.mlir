// RUN: hbir-opt %s -p decompose-recurrent,simplify-slices,dead-code-elimination | filecheck %s

// An LSTM of two steps, whose first state is constant 0 and costs nothing: the inputs' products are
// taken once for all steps, the forget gate of the first step isn't read.

// CHECK-LABEL: func.func @lstm
// CHECK:      %[[GATES:.*]] = hbir.linear %x, %{{.*}}, %{{.*}} : (tensor<2x1x3xf32>, tensor<3x3xf32>, tensor<3xf32>) -> tensor<2x1x3xf32>
// CHECK:      %[[CELLS:.*]] = hbir.linear %x, {{.*}} -> tensor<2x1x1xf32>
// CHECK:      %[[G0:.*]] = hbir.slice %[[GATES]] {begin = [0, 0, 0], end = [1, 1, 3]}
// CHECK-NEXT: %[[S0:.*]] = hbir.sigmoid %[[G0]]
// CHECK-NEXT: %[[I0:.*]] = hbir.slice %[[S0]] {begin = [0, 0, 0], end = [1, 1, 1]}
// CHECK-NEXT: %[[O0:.*]] = hbir.slice %[[S0]] {begin = [0, 0, 1], end = [1, 1, 2]}
// CHECK-NEXT: %[[N0:.*]] = hbir.slice %[[CELLS]] {begin = [0, 0, 0], end = [1, 1, 1]}
// CHECK-NEXT: %[[T0:.*]] = hbir.tanh %[[N0]]
// CHECK-NEXT: %[[C0:.*]] = hbir.mul %[[I0]], %[[T0]]
// CHECK-NEXT: %[[U0:.*]] = hbir.tanh %[[C0]]
// CHECK-NEXT: %[[H0:.*]] = hbir.mul %[[O0]], %[[U0]]
// CHECK-NEXT: %[[G1:.*]] = hbir.slice %[[GATES]] {begin = [1, 0, 0], end = [2, 1, 3]}
// CHECK-NEXT: %[[P1:.*]] = hbir.linear %[[H0]], %{{.*}} -> tensor<1x1x3xf32>
// CHECK-NEXT: %[[A1:.*]] = hbir.add %[[P1]], %[[G1]]
// CHECK-NEXT: %[[S1:.*]] = hbir.sigmoid %[[A1]]
// CHECK:      %[[F1:.*]] = hbir.slice %[[S1]] {begin = [0, 0, 2], end = [1, 1, 3]}
// CHECK:      %[[K1:.*]] = hbir.mul %[[F1]], %[[C0]]
// CHECK:      hbir.add %[[K1]]
// CHECK:      %[[H1:.*]] = hbir.mul
// CHECK-NEXT: func.return %[[H1]]
func.func @lstm(%x: tensor<2x1x3xf32>) -> tensor<1x1x1xf32> {
  %w = hbir.constant dense<1.0> : tensor<3x4xf32>
  %r = hbir.constant dense<1.0> : tensor<1x4xf32>
  %b = hbir.constant dense<1.0> : tensor<4xf32>
  %h = hbir.constant dense<0.0> : tensor<1x1xf32>
  %y = hbir.lstm %x, %w, %r, %b, %h, %h : (tensor<2x1x3xf32>, tensor<3x4xf32>, tensor<1x4xf32>, tensor<4xf32>, tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<2x1x2xf32>
  %last = hbir.slice %y {begin = [1, 0, 0], end = [2, 1, 1]} : (tensor<2x1x2xf32>) -> tensor<1x1x1xf32>
  func.return %last : tensor<1x1x1xf32>
}

// A GRU that takes its steps backwards, from a state that is an input.

// CHECK-LABEL: func.func @gru
// CHECK:      %[[H:.*]] = hbir.reshape %h {shape = [1, 2, 1]}
// CHECK:      hbir.slice %{{.*}} {begin = [1, 0, 0], end = [2, 2, 2]}
// CHECK-NEXT: hbir.linear %[[H]]
// CHECK-NEXT: hbir.add
// CHECK-NEXT: hbir.sigmoid
// CHECK-NEXT: %[[Z:.*]] = hbir.slice
// CHECK-NEXT: %[[R:.*]] = hbir.slice
// CHECK-NEXT: %[[P:.*]] = hbir.linear %[[H]]
// CHECK-NEXT: hbir.mul %[[R]], %[[P]]
// CHECK-NEXT: hbir.slice
// CHECK-NEXT: hbir.add
// CHECK-NEXT: %[[C:.*]] = hbir.tanh
// CHECK-NEXT: %[[D:.*]] = hbir.sub %[[H]], %[[C]]
// CHECK-NEXT: %[[M:.*]] = hbir.mul %[[Z]], %[[D]]
// CHECK-NEXT: %[[H1:.*]] = hbir.add %[[C]], %[[M]]
// CHECK:      hbir.slice %{{.*}} {begin = [0, 0, 0], end = [1, 2, 2]}
// CHECK-NEXT: hbir.linear %[[H1]]
// CHECK:      hbir.concat %{{.*}}, %[[H1]] {dim = 0 : i64}
func.func @gru(%x: tensor<2x2x3xf32>, %h: tensor<2x1xf32>) -> tensor<2x2x1xf32> {
  %w = hbir.constant dense<1.0> : tensor<3x3xf32>
  %r = hbir.constant dense<1.0> : tensor<1x3xf32>
  %b = hbir.constant dense<1.0> : tensor<3xf32>
  %y = hbir.gru %x, %w, %r, %b, %b, %h {reverse = true} : (tensor<2x2x3xf32>, tensor<3x3xf32>, tensor<1x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<2x1xf32>) -> tensor<2x2x1xf32>
  func.return %y : tensor<2x2x1xf32>
}

// A plain layer.

// CHECK-LABEL: func.func @rnn
// CHECK:      hbir.relu
// CHECK:      hbir.linear
// CHECK-NEXT: hbir.add
// CHECK-NEXT: hbir.relu
func.func @rnn(%x: tensor<2x2x3xf32>) -> tensor<2x2x1xf32> {
  %w = hbir.constant dense<1.0> : tensor<3x1xf32>
  %r = hbir.constant dense<1.0> : tensor<1x1xf32>
  %b = hbir.constant dense<1.0> : tensor<1xf32>
  %h = hbir.constant dense<0.0> : tensor<2x1xf32>
  %y = hbir.rnn %x, %w, %r, %b, %h {activation = "relu"} : (tensor<2x2x3xf32>, tensor<3x1xf32>, tensor<1x1xf32>, tensor<1xf32>, tensor<2x1xf32>) -> tensor<2x2x1xf32>
  func.return %y : tensor<2x2x1xf32>
}

// Weights that are computed: it stays.

// CHECK-LABEL: func.func @computed
// CHECK:      hbir.rnn
func.func @computed(%x: tensor<2x2x3xf32>, %w: tensor<3x1xf32>) -> tensor<2x2x1xf32> {
  %r = hbir.constant dense<1.0> : tensor<1x1xf32>
  %b = hbir.constant dense<1.0> : tensor<1xf32>
  %h = hbir.constant dense<0.0> : tensor<2x1xf32>
  %y = hbir.rnn %x, %w, %r, %b, %h : (tensor<2x2x3xf32>, tensor<3x1xf32>, tensor<1x1xf32>, tensor<1xf32>, tensor<2x1xf32>) -> tensor<2x2x1xf32>
  func.return %y : tensor<2x2x1xf32>
}

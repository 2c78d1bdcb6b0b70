// RUN: hbir-opt %s | filecheck %s
// RUN: hbir-opt %s --print-op-generic | filecheck %s --check-prefix=GENERIC
// RUN: hbir-opt %s --print-op-generic | hbir-opt - | filecheck %s

// Recurrent layers, one direction each.

// CHECK-LABEL: func.func @recurrent
// CHECK:         hbir.lstm %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : ({{.*}}) -> tensor<7x2x10xf32>
// CHECK:         hbir.gru {{.*}} {linearBeforeReset = false, reverse = true} : ({{.*}}) -> tensor<7x2x5xf32>
// CHECK:         hbir.rnn {{.*}} {activation = "relu"} : ({{.*}}) -> tensor<7x2x5xf32>
// GENERIC-LABEL: sym_name = "recurrent"
// GENERIC:       "hbir.lstm"(%x, %w4, %r4, %b4, %h, %h) <{reverse = false}>
func.func @recurrent(%x: tensor<7x2x3xf32>, %h: tensor<2x5xf32>, %w4: tensor<3x20xf32>, %r4: tensor<5x20xf32>, %b4: tensor<20xf32>, %w3: tensor<3x15xf32>, %r3: tensor<5x15xf32>, %b3: tensor<15xf32>, %w1: tensor<3x5xf32>, %r1: tensor<5x5xf32>, %b1: tensor<5xf32>) {
  %0 = hbir.lstm %x, %w4, %r4, %b4, %h, %h : (tensor<7x2x3xf32>, tensor<3x20xf32>, tensor<5x20xf32>, tensor<20xf32>, tensor<2x5xf32>, tensor<2x5xf32>) -> tensor<7x2x10xf32>
  %1 = hbir.gru %x, %w3, %r3, %b3, %b3, %h {linearBeforeReset = false, reverse = true} : (tensor<7x2x3xf32>, tensor<3x15xf32>, tensor<5x15xf32>, tensor<15xf32>, tensor<15xf32>, tensor<2x5xf32>) -> tensor<7x2x5xf32>
  %2 = hbir.rnn %x, %w1, %r1, %b1, %h {activation = "relu"} : (tensor<7x2x3xf32>, tensor<3x5xf32>, tensor<5x5xf32>, tensor<5xf32>, tensor<2x5xf32>) -> tensor<7x2x5xf32>
  func.return
}

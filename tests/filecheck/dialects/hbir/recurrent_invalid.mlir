// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// CHECK: error: hbir.rnn ({{.*}}): r must be of shape [5, 5] for x of shape [7, 2, 3] and 5 hidden units, got [5, 10]
func.func @f(%x: tensor<7x2x3xf32>, %h: tensor<2x5xf32>, %w: tensor<3x5xf32>, %r: tensor<5x10xf32>, %b: tensor<5xf32>) {
  %0 = hbir.rnn %x, %w, %r, %b, %h : (tensor<7x2x3xf32>, tensor<3x5xf32>, tensor<5x10xf32>, tensor<5xf32>, tensor<2x5xf32>) -> tensor<7x2x5xf32>
  func.return
}

// -----

// CHECK: error: hbir.rnn ({{.*}}): activation must be one of "tanh", "relu", got "sin"
func.func @f(%x: tensor<7x2x3xf32>, %h: tensor<2x5xf32>, %w: tensor<3x5xf32>, %r: tensor<5x5xf32>, %b: tensor<5xf32>) {
  %0 = hbir.rnn %x, %w, %r, %b, %h {activation = "sin"} : (tensor<7x2x3xf32>, tensor<3x5xf32>, tensor<5x5xf32>, tensor<5xf32>, tensor<2x5xf32>) -> tensor<7x2x5xf32>
  func.return
}

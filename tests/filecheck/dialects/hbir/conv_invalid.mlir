// RUN: hbir-opt %s --verify-diagnostics --split-input-file | filecheck %s

// What shape inference refuses, and what it says.

// CHECK: error: hbir.conv2d ({{.*}}): w of shape [6, 3, 3, 2] with groupNum 1 takes 2 input channels, x has 4
func.func @f(%x: tensor<1x8x8x4xf32>, %w: tensor<6x3x3x2xf32>) {
  %0 = hbir.conv2d %x, %w : (tensor<1x8x8x4xf32>, tensor<6x3x3x2xf32>) -> tensor<1x6x6x6xf32>
  func.return
}

// -----

// CHECK: error: hbir.conv2d ({{.*}}): 5 output channels can't be divided into groupNum 2
func.func @f(%x: tensor<1x8x8x4xf32>, %w: tensor<5x3x3x2xf32>) {
  %0 = hbir.conv2d %x, %w {groupNum = 2} : (tensor<1x8x8x4xf32>, tensor<5x3x3x2xf32>) -> tensor<1x6x6x5xf32>
  func.return
}

// -----

// CHECK: error: hbir.conv2d ({{.*}}): result has shape [1, 8, 8, 6], operands and properties give [1, 6, 6, 6]
func.func @f(%x: tensor<1x8x8x4xf32>, %w: tensor<6x3x3x4xf32>) {
  %0 = hbir.conv2d %x, %w : (tensor<1x8x8x4xf32>, tensor<6x3x3x4xf32>) -> tensor<1x8x8x6xf32>
  func.return
}

// -----

// CHECK: error: hbir.conv2d ({{.*}}): x must be (N, H, W, Cin) (rank 4), got shape [8, 8, 4]
func.func @f(%x: tensor<8x8x4xf32>, %w: tensor<6x3x3x4xf32>) {
  %0 = hbir.conv2d %x, %w : (tensor<8x8x4xf32>, tensor<6x3x3x4xf32>) -> tensor<6x6x6xf32>
  func.return
}

// -----

// CHECK: error: hbir.conv2d ({{.*}}): bias must be (6,), got shape [4]
func.func @f(%x: tensor<1x8x8x4xf32>, %w: tensor<6x3x3x4xf32>, %b: tensor<4xf32>) {
  %0 = hbir.conv2d %x, %w, %b : (tensor<1x8x8x4xf32>, tensor<6x3x3x4xf32>, tensor<4xf32>) -> tensor<1x6x6x6xf32>
  func.return
}

// -----

// CHECK: error: hbir.conv2d ({{.*}}): a 3x3 window with dilation [1, 1] does not fit into x of shape [1, 2, 8, 4] with pad [0, 0, 0, 0]
func.func @f(%x: tensor<1x2x8x4xf32>, %w: tensor<6x3x3x4xf32>) {
  %0 = hbir.conv2d %x, %w : (tensor<1x2x8x4xf32>, tensor<6x3x3x4xf32>) -> tensor<1x1x6x6xf32>
  func.return
}

// -----

// CHECK: error: hbir.conv2d ({{.*}}): stride must be at least 1, got [0, 1]
func.func @f(%x: tensor<1x8x8x4xf32>, %w: tensor<6x3x3x4xf32>) {
  %0 = hbir.conv2d %x, %w {stride = [0, 1]} : (tensor<1x8x8x4xf32>, tensor<6x3x3x4xf32>) -> tensor<1x6x6x6xf32>
  func.return
}

// -----

// CHECK: error: hbir.conv2d ({{.*}}): pad must have 4 entries, got [1, 1]
func.func @f(%x: tensor<1x8x8x4xf32>, %w: tensor<6x3x3x4xf32>) {
  %0 = hbir.conv2d %x, %w {pad = [1, 1]} : (tensor<1x8x8x4xf32>, tensor<6x3x3x4xf32>) -> tensor<1x8x8x6xf32>
  func.return
}

// -----

// CHECK: error: hbir.conv2d ({{.*}}): x must hold f32, got si8
func.func @f(%x: tensor<1x8x8x4xsi8>, %w: tensor<6x3x3x4xf32>) {
  %0 = hbir.conv2d %x, %w : (tensor<1x8x8x4xsi8>, tensor<6x3x3x4xf32>) -> tensor<1x6x6x6xf32>
  func.return
}

// -----

// CHECK: error: hbir.conv2d ({{.*}}): result has element type si8, expected f32
func.func @f(%x: tensor<1x8x8x4xf32>, %w: tensor<6x3x3x4xf32>) {
  %0 = hbir.conv2d %x, %w : (tensor<1x8x8x4xf32>, tensor<6x3x3x4xf32>) -> tensor<1x6x6x6xsi8>
  func.return
}

// -----

// CHECK: error: hbir.convtranspose ({{.*}}): w of shape [6, 3, 3, 2] takes 6 input channels, x has 5
func.func @f(%x: tensor<1x4x4x5xf32>, %w: tensor<6x3x3x2xf32>) {
  %0 = hbir.convtranspose %x, %w : (tensor<1x4x4x5xf32>, tensor<6x3x3x2xf32>) -> tensor<1x6x6x2xf32>
  func.return
}

// -----

// CHECK: error: hbir.convtranspose ({{.*}}): pad [1, 1, 1, 1] leaves nothing of the result (0x0)
func.func @f(%x: tensor<1x2x2x6xf32>, %w: tensor<6x1x1x2xf32>) {
  %0 = hbir.convtranspose %x, %w {pad = [1, 1, 1, 1]} : (tensor<1x2x2x6xf32>, tensor<6x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  func.return
}

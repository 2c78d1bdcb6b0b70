// RUN: hbir-opt %s -p mark-fusion-groups | filecheck %s

// Convolution, addition (on either side) and activation are one group, groups numbered apart.

// CHECK-LABEL: func.func @conv_add_relu
// CHECK: hbir.conv2d {{.*}}fusion_group = 0
// CHECK-NEXT: hbir.add {{.*}}fusion_group = 0
// CHECK-NEXT: hbir.relu {{.*}}fusion_group = 0
// CHECK-NEXT: hbir.conv2d {{.*}}fusion_group = 1
// CHECK-NEXT: hbir.add {{.*}}fusion_group = 1
// CHECK-NEXT: hbir.clip {{.*}}fusion_group = 1
func.func @conv_add_relu(%x: tensor<1x2x2x1xf32>) -> tensor<1x2x2x1xf32> {
  %w = hbir.constant dense<1.0> : tensor<1x1x1x1xf32>
  %a = hbir.conv2d %x, %w : (tensor<1x2x2x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x2x2x1xf32>
  %b = hbir.add %a, %x : (tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>) -> tensor<1x2x2x1xf32>
  %c = hbir.relu %b : tensor<1x2x2x1xf32>
  %d = hbir.conv2d %c, %w : (tensor<1x2x2x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x2x2x1xf32>
  %e = hbir.add %c, %d : (tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>) -> tensor<1x2x2x1xf32>
  %f = hbir.clip %e {min = 0.0, max = 6.0} : tensor<1x2x2x1xf32>
  func.return %f : tensor<1x2x2x1xf32>
}

// Of two convolutions the later joins the addition. A value that is read twice ends its group.

// CHECK-LABEL: func.func @two
// CHECK: hbir.conv2d {{.*}}fusion_group = 0
// CHECK-NEXT: hbir.conv2d {{.*}}fusion_group = 1
// CHECK-NEXT: hbir.add {{.*}}fusion_group = 1
// CHECK-NEXT: hbir.linear {{.*}}fusion_group = 2
// CHECK-NEXT: hbir.relu %{{[0-9a-z]+}} : tensor
// CHECK-NEXT: func.return
func.func @two(%x: tensor<1x2x2x1xf32>) -> (tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>) {
  %w = hbir.constant dense<1.0> : tensor<1x1x1x1xf32>
  %v = hbir.constant dense<1.0> : tensor<1x1xf32>
  %a = hbir.conv2d %x, %w : (tensor<1x2x2x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x2x2x1xf32>
  %b = hbir.conv2d %x, %w : (tensor<1x2x2x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x2x2x1xf32>
  %c = hbir.add %b, %a : (tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>) -> tensor<1x2x2x1xf32>
  %d = hbir.linear %c, %v : (tensor<1x2x2x1xf32>, tensor<1x1xf32>) -> tensor<1x2x2x1xf32>
  %e = hbir.relu %d : tensor<1x2x2x1xf32>
  func.return %d, %e : tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>
}

// Functions of one element that follow each other are one table; a constant per channel isn't one.

// CHECK-LABEL: func.func @table
// CHECK: hbir.hard_swish {{.*}}fusion_group = 0
// CHECK-NEXT: hbir.mul {{.*}}fusion_group = 0
// CHECK-NEXT: hbir.add %{{[0-9a-z]+}}, %{{[0-9a-z]+}} : (
func.func @table(%x: tensor<2xf32>) -> tensor<2xf32> {
  %half = hbir.constant dense<0.5> : tensor<f32>
  %each = hbir.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %a = hbir.hard_swish %x : tensor<2xf32>
  %b = hbir.mul %a, %half : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %c = hbir.add %b, %each : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  func.return %c : tensor<2xf32>
}

// RUN: hbir-opt %s -p recognize-groupnorm,dead-code-elimination | filecheck %s

// As torch's exporter to ONNX writes a group norm of two groups: each group a row, an instance norm
// of the rows, and weight and bias per channel.

// CHECK-LABEL: func.func @groups
// CHECK-DAG:     %[[W:.*]] = hbir.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]>
// CHECK-DAG:     %[[B:.*]] = hbir.constant dense<[5.000000e+00, 6.000000e+00, 7.000000e+00, 8.000000e+00]>
// CHECK-DAG:     %[[X:.*]] = hbir.transpose %x {dims = [0, 2, 3, 1]}
// CHECK:         %[[N:.*]] = hbir.groupnorm %[[X]], %[[W]], %[[B]] {{{.*}}groupNum = 2 : i64, eps = 5.000000e-01 : f64}
// CHECK-NEXT:    %[[Y:.*]] = hbir.transpose %[[N]] {{{.*}}dims = [0, 3, 1, 2]}
// CHECK-NEXT:    func.return %[[Y]]
func.func @groups(%x: tensor<2x4x3x5xf32>) -> tensor<2x4x3x5xf32> {
  %one = hbir.constant dense<1.0> : tensor<2xf32>
  %zero = hbir.constant dense<0.0> : tensor<2xf32>
  %w = hbir.constant dense<[[[1.0]], [[2.0]], [[3.0]], [[4.0]]]> : tensor<4x1x1xf32>
  %b = hbir.constant dense<[[[5.0]], [[6.0]], [[7.0]], [[8.0]]]> : tensor<4x1x1xf32>
  %rows = hbir.reshape %x {shape = [2, 2, 30]} : (tensor<2x4x3x5xf32>) -> tensor<2x2x30xf32>
  %last = hbir.transpose %rows {dims = [0, 2, 1]} : (tensor<2x2x30xf32>) -> tensor<2x30x2xf32>
  %n = hbir.groupnorm %last, %one, %zero {groupNum = 2, eps = 0.5} : (tensor<2x30x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<2x30x2xf32>
  %first = hbir.transpose %n {dims = [0, 2, 1]} : (tensor<2x30x2xf32>) -> tensor<2x2x30xf32>
  %back = hbir.reshape %first {shape = [2, 4, 3, 5]} : (tensor<2x2x30xf32>) -> tensor<2x4x3x5xf32>
  %s = hbir.mul %back, %w : (tensor<2x4x3x5xf32>, tensor<4x1x1xf32>) -> tensor<2x4x3x5xf32>
  %y = hbir.add %b, %s : (tensor<4x1x1xf32>, tensor<2x4x3x5xf32>) -> tensor<2x4x3x5xf32>
  func.return %y : tensor<2x4x3x5xf32>
}

// One group: its rows need no transpose. The factor of a group is that of each of its channels.

// CHECK-LABEL: func.func @one_group
// CHECK-DAG:     %[[W:.*]] = hbir.constant dense<2.000000e+00> : tensor<4xf32>
// CHECK:         hbir.groupnorm %{{.*}}, %[[W]] : (tensor<1x6x4xf32>
func.func @one_group(%x: tensor<1x4x6xf32>) -> tensor<1x4x6xf32> {
  %two = hbir.constant dense<2.0> : tensor<1xf32>
  %rows = hbir.reshape %x {shape = [1, 1, 24]} : (tensor<1x4x6xf32>) -> tensor<1x1x24xf32>
  %last = hbir.reshape %rows {shape = [1, 24, 1]} : (tensor<1x1x24xf32>) -> tensor<1x24x1xf32>
  %n = hbir.groupnorm %last, %two {groupNum = 1} : (tensor<1x24x1xf32>, tensor<1xf32>) -> tensor<1x24x1xf32>
  %back = hbir.reshape %n {shape = [1, 4, 6]} : (tensor<1x24x1xf32>) -> tensor<1x4x6xf32>
  func.return %back : tensor<1x4x6xf32>
}

// A reshape to another shape than before is none, nor is a constant that varies along positions.

// CHECK-LABEL: func.func @other_shape
// CHECK:         hbir.groupnorm %{{.*}} : (tensor<1x24x1xf32>)
func.func @other_shape(%x: tensor<1x4x6xf32>) -> tensor<1x6x4xf32> {
  %last = hbir.reshape %x {shape = [1, 24, 1]} : (tensor<1x4x6xf32>) -> tensor<1x24x1xf32>
  %n = hbir.groupnorm %last {groupNum = 1} : (tensor<1x24x1xf32>) -> tensor<1x24x1xf32>
  %back = hbir.reshape %n {shape = [1, 6, 4]} : (tensor<1x24x1xf32>) -> tensor<1x6x4xf32>
  func.return %back : tensor<1x6x4xf32>
}

// CHECK-LABEL: func.func @positions
// CHECK:         hbir.groupnorm %x {
// CHECK-NEXT:    hbir.mul
func.func @positions(%x: tensor<1x2x4xf32>) -> tensor<1x2x4xf32> {
  %c = hbir.constant dense<[[2.0], [3.0]]> : tensor<2x1xf32>
  %n = hbir.groupnorm %x {groupNum = 2} : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %y = hbir.mul %n, %c : (tensor<1x2x4xf32>, tensor<2x1xf32>) -> tensor<1x2x4xf32>
  func.return %y : tensor<1x2x4xf32>
}

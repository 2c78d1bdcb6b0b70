// RUN: hbir-opt %s -p decompose-groupnorm | filecheck %s

// Two groups of two channels: rows of positions and channels of a group.

// CHECK-LABEL: func.func @groups
// CHECK:         %[[A:.*]] = hbir.reshape %x {shape = [1, 6, 2, 2]}
// CHECK-NEXT:    %[[T:.*]] = hbir.transpose %[[A]] {dims = [0, 2, 1, 3]}
// CHECK-NEXT:    %[[R:.*]] = hbir.reshape %[[T]] {shape = [1, 2, 12]}
// CHECK-NEXT:    %[[N:.*]] = hbir.layernorm %[[R]] {{.*}}(tensor<1x2x12xf32>) -> tensor<1x2x12xf32>
// CHECK-NEXT:    %[[U:.*]] = hbir.reshape %[[N]] {shape = [1, 2, 6, 2]}
// CHECK-NEXT:    %[[V:.*]] = hbir.transpose %[[U]] {dims = [0, 2, 1, 3]}
// CHECK-NEXT:    %[[B:.*]] = hbir.reshape %[[V]] {shape = [1, 2, 3, 4]}
// CHECK:         hbir.batchnorm %[[B]], %{{.*}}, %{{.*}}, %w, %{{.*}} {eps = 0.000000e+00 : f64}
func.func @groups(%x: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
  %w = hbir.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %0 = hbir.groupnorm %x, %w {groupNum = 2} : (tensor<1x2x3x4xf32>, tensor<4xf32>) -> tensor<1x2x3x4xf32>
  func.return %0 : tensor<1x2x3x4xf32>
}

// One group needs no transpose, and without weight and bias nothing follows.

// CHECK-LABEL: func.func @one
// CHECK-NEXT:    %[[R:.*]] = hbir.reshape %x {shape = [1, 1, 24]}
// CHECK-NEXT:    %[[N:.*]] = hbir.layernorm %[[R]]
// CHECK-NEXT:    %[[B:.*]] = hbir.reshape %[[N]] {shape = [1, 2, 3, 4]}
// CHECK-NEXT:    func.return %[[B]]
func.func @one(%x: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
  %0 = hbir.groupnorm %x : (tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  func.return %0 : tensor<1x2x3x4xf32>
}

// Computed weight and bias.

// CHECK-LABEL: func.func @computed
// CHECK:         %[[S:.*]] = hbir.mul %{{.*}}, %w
// CHECK-NEXT:    hbir.add %[[S]], %b
func.func @computed(%x: tensor<1x6x4xf32>, %w: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<1x6x4xf32> {
  %0 = hbir.groupnorm %x, %w, %b {groupNum = 4} : (tensor<1x6x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x6x4xf32>
  func.return %0 : tensor<1x6x4xf32>
}

// Tensors on the way are called after the result; its order of axes is theirs where they have as many.

// CHECK-LABEL: func.func @origins
// CHECK:         hbir.reshape %x {origin = #hbir.origin<"y/groups", perm [0, 2, 3, 1], from "Norm_0" "InstanceNormalization">
// CHECK:         hbir.reshape {{.*}} {origin = #hbir.origin<"y/rows", from "Norm_0" "InstanceNormalization">
// CHECK-NEXT:    hbir.layernorm {{.*}} {origin = #hbir.origin<"y/normal", from "Norm_0" "InstanceNormalization">
func.func @origins(%x: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
  %0 = hbir.groupnorm %x {origin = #hbir.origin<"y", perm [0, 2, 3, 1], from "Norm_0" "InstanceNormalization">, groupNum = 4} : (tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  func.return %0 : tensor<1x2x3x4xf32>
}

// RUN: hbir-opt %s -p decompose-layernorm | filecheck %s

// Over the last axis, with constants: nothing to do.

// CHECK-LABEL: func.func @last
// CHECK:         hbir.layernorm %x, %{{.*}} : (tensor<2x4x3xf32>, tensor<3xf32>) -> tensor<2x4x3xf32>
// CHECK-NEXT:    func.return
func.func @last(%x: tensor<2x4x3xf32>) -> tensor<2x4x3xf32> {
  %w = hbir.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %0 = hbir.layernorm %x, %w : (tensor<2x4x3xf32>, tensor<3xf32>) -> tensor<2x4x3xf32>
  func.return %0 : tensor<2x4x3xf32>
}

// Over several axes that come last: they become one, the parameters too.

// CHECK-LABEL: func.func @several
// CHECK:         %[[X:.*]] = hbir.reshape %x {shape = [5, 4]}
// CHECK-NEXT:    %[[W:.*]] = hbir.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]> : tensor<4xf32>
// CHECK-NEXT:    %[[Y:.*]] = hbir.layernorm %[[X]], %[[W]] {{{.*}}eps = 5.000000e-01 : f64} : (tensor<5x4xf32>, tensor<4xf32>) -> tensor<5x4xf32>
// CHECK-NEXT:    hbir.reshape %[[Y]] {shape = [5, 2, 2]}
func.func @several(%x: tensor<5x2x2xf32>) -> tensor<5x2x2xf32> {
  %w = hbir.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %0 = hbir.layernorm %x, %w {dims = [1, 2], eps = 0.5} : (tensor<5x2x2xf32>, tensor<2x2xf32>) -> tensor<5x2x2xf32>
  func.return %0 : tensor<5x2x2xf32>
}

// Over another axis: transposed there and back.

// CHECK-LABEL: func.func @first
// CHECK:         %[[X:.*]] = hbir.transpose %x {dims = [0, 2, 1]}
// CHECK-NEXT:    %[[Y:.*]] = hbir.rms_norm %[[X]] {{.*}}(tensor<5x3x2xf32>) -> tensor<5x3x2xf32>
// CHECK-NEXT:    hbir.transpose %[[Y]] {dims = [0, 2, 1]}
func.func @first(%x: tensor<5x2x3xf32>) -> tensor<5x2x3xf32> {
  %0 = hbir.rms_norm %x {dims = [1]} : (tensor<5x2x3xf32>) -> tensor<5x2x3xf32>
  func.return %0 : tensor<5x2x3xf32>
}

// Computed weight and bias, as adaptive norms have them: ops of their own.

// CHECK-LABEL: func.func @computed
// CHECK:         %[[N:.*]] = hbir.layernorm %x {{.*}}(tensor<2x3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT:    %[[W:.*]] = hbir.reshape %w {shape = [1, 3]}
// CHECK-NEXT:    %[[S:.*]] = hbir.mul %[[N]], %[[W]]
// CHECK-NEXT:    %[[B:.*]] = hbir.reshape %b {shape = [1, 3]}
// CHECK-NEXT:    hbir.add %[[S]], %[[B]]
func.func @computed(%x: tensor<2x3xf32>, %w: tensor<3xf32>, %b: tensor<3xf32>) -> tensor<2x3xf32> {
  %0 = hbir.layernorm %x, %w, %b : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  func.return %0 : tensor<2x3xf32>
}

// RUN: hbir-opt %s -p recognize-norms,dead-code-elimination | filecheck %s

// As torch's exporter to ONNX writes a layer norm, with weight and bias.

// CHECK-LABEL: func.func @layernorm
// CHECK:         hbir.layernorm %x, %{{.*}}, %{{.*}} {{{.*}}eps = 5.000000e-01 : f64} : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
// CHECK-NEXT:    func.return
func.func @layernorm(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %two = hbir.constant dense<2.0> : tensor<f32>
  %eps = hbir.constant dense<0.5> : tensor<f32>
  %w = hbir.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %b = hbir.constant dense<[[4.0, 5.0, 6.0]]> : tensor<1x3xf32>
  %mean = hbir.reduce_mean %x {dims = [-1]} : (tensor<2x3xf32>) -> tensor<2x1xf32>
  %d = hbir.sub %x, %mean : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<2x3xf32>
  %sq = hbir.pow %d, %two : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %var = hbir.reduce_mean %sq {dims = [-1]} : (tensor<2x3xf32>) -> tensor<2x1xf32>
  %sum = hbir.add %var, %eps : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  %root = hbir.sqrt %sum : tensor<2x1xf32>
  %n = hbir.div %d, %root : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<2x3xf32>
  %s = hbir.mul %n, %w : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %y = hbir.add %s, %b : (tensor<2x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  func.return %y : tensor<2x3xf32>
}

// With the difference taken twice, a square as a product, and a reciprocal.

// CHECK-LABEL: func.func @twice
// CHECK:         %[[N:.*]] = hbir.layernorm %x {dims = [-2]
// CHECK-NEXT:    func.return %[[N]]
func.func @twice(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %eps = hbir.constant dense<0.5> : tensor<f32>
  %mean = hbir.reduce_mean %x {dims = [1]} : (tensor<2x3x4xf32>) -> tensor<2x1x4xf32>
  %d = hbir.sub %x, %mean : (tensor<2x3x4xf32>, tensor<2x1x4xf32>) -> tensor<2x3x4xf32>
  %e = hbir.sub %x, %mean : (tensor<2x3x4xf32>, tensor<2x1x4xf32>) -> tensor<2x3x4xf32>
  %sq = hbir.mul %d, %d : (tensor<2x3x4xf32>, tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  %var = hbir.reduce_mean %sq {dims = [-2]} : (tensor<2x3x4xf32>) -> tensor<2x1x4xf32>
  %sum = hbir.add %eps, %var : (tensor<f32>, tensor<2x1x4xf32>) -> tensor<2x1x4xf32>
  %root = hbir.sqrt %sum : tensor<2x1x4xf32>
  %r = hbir.reciprocal %root : tensor<2x1x4xf32>
  %n = hbir.mul %r, %e : (tensor<2x1x4xf32>, tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  func.return %n : tensor<2x3x4xf32>
}

// Without the mean it is a root-mean-square norm, whose weight is absorbed too.

// CHECK-LABEL: func.func @rms
// CHECK:         hbir.rms_norm %x, %{{.*}} {{{.*}}eps = 5.000000e-01 : f64}
// CHECK-NEXT:    func.return
func.func @rms(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %two = hbir.constant dense<2.0> : tensor<f32>
  %eps = hbir.constant dense<0.5> : tensor<f32>
  %w = hbir.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %sq = hbir.pow %x, %two : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %mean = hbir.reduce_mean %sq {dims = [-1]} : (tensor<2x3xf32>) -> tensor<2x1xf32>
  %sum = hbir.add %mean, %eps : (tensor<2x1xf32>, tensor<f32>) -> tensor<2x1xf32>
  %r = hbir.rsqrt %sum : tensor<2x1xf32>
  %n = hbir.mul %x, %r : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<2x3xf32>
  %s = hbir.mul %w, %n : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  func.return %s : tensor<2x3xf32>
}

// Not when the square is of something else; with means over two axes it is the norm of a difference.

// CHECK-LABEL: func.func @other
// CHECK-NOT:     hbir.rms_norm %x
// CHECK:         %[[D:.*]] = hbir.sub %x
// CHECK:         hbir.rms_norm %[[D]] {dims = [1]
// CHECK-NOT:     norm
// CHECK:         func.return
func.func @other(%x: tensor<3x3xf32>, %z: tensor<3x3xf32>) -> (tensor<3x3xf32>, tensor<3x3xf32>) {
  %eps = hbir.constant dense<0.5> : tensor<f32>
  %sq = hbir.mul %z, %z : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  %mean = hbir.reduce_mean %sq {dims = [1]} : (tensor<3x3xf32>) -> tensor<3x1xf32>
  %sum = hbir.add %mean, %eps : (tensor<3x1xf32>, tensor<f32>) -> tensor<3x1xf32>
  %r = hbir.rsqrt %sum : tensor<3x1xf32>
  %n = hbir.mul %x, %r : (tensor<3x3xf32>, tensor<3x1xf32>) -> tensor<3x3xf32>
  %m = hbir.reduce_mean %x {dims = [0]} : (tensor<3x3xf32>) -> tensor<1x3xf32>
  %d = hbir.sub %x, %m : (tensor<3x3xf32>, tensor<1x3xf32>) -> tensor<3x3xf32>
  %dd = hbir.mul %d, %d : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  %var = hbir.reduce_mean %dd {dims = [1]} : (tensor<3x3xf32>) -> tensor<3x1xf32>
  %vs = hbir.add %var, %eps : (tensor<3x1xf32>, tensor<f32>) -> tensor<3x1xf32>
  %root = hbir.sqrt %vs : tensor<3x1xf32>
  %q = hbir.div %d, %root : (tensor<3x3xf32>, tensor<3x1xf32>) -> tensor<3x3xf32>
  func.return %n, %q : tensor<3x3xf32>, tensor<3x3xf32>
}

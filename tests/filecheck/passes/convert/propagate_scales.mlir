// RUN: hbir-opt %s -p propagate-scales | filecheck %s

// A move's result is quantized like its operand, and everyone reads the quantized value.

// CHECK-LABEL: func.func @forwards
// CHECK: %[[Q:.*]] = qnt.const_fake_quant %x
// CHECK-NEXT: %[[P:.*]] = hbir.max_pool %[[Q]]
// CHECK-NEXT: %[[PQ:.*]] = qnt.const_fake_quant %[[P]] {{.*}}max = [1.27]
// CHECK-NEXT: func.return %[[PQ]]
func.func @forwards(%x: tensor<1x2x2x1xf32>) -> tensor<1x1x1x1xf32> {
  %q = qnt.const_fake_quant %x {min = [-1.28], max = [1.27]} : tensor<1x2x2x1xf32>
  %p = hbir.max_pool %q {kernel = [2, 2]} : (tensor<1x2x2x1xf32>) -> tensor<1x1x1x1xf32>
  func.return %p : tensor<1x1x1x1xf32>
}

// Where only the result is quantized, so is the operand.

// CHECK-LABEL: func.func @backwards
// CHECK: %[[Q:.*]] = qnt.const_fake_quant %x {{.*}}max = [1.27]
// CHECK-NEXT: hbir.reshape %[[Q]]
func.func @backwards(%x: tensor<2x2xf32>) -> tensor<4xf32> {
  %r = hbir.reshape %x {shape = [4]} : (tensor<2x2xf32>) -> tensor<4xf32>
  %q = qnt.const_fake_quant %r {min = [-1.28], max = [1.27]} : tensor<4xf32>
  func.return %q : tensor<4xf32>
}

// A second reader of a quantized result shares it: there are only its integers.

// CHECK-LABEL: func.func @shares
// CHECK: %[[E:.*]] = hbir.exp
// CHECK-NEXT: %[[Q:.*]] = qnt.const_fake_quant %[[E]]
// CHECK-NEXT: func.return %[[Q]], %[[Q]]
func.func @shares(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %e = hbir.exp %x : tensor<4xf32>
  %q = qnt.const_fake_quant %e {min = [-1.28], max = [1.27]} : tensor<4xf32>
  func.return %e, %q : tensor<4xf32>, tensor<4xf32>
}

// What compares quantized numbers gives 0 or 1, which needs no observation.

// CHECK-LABEL: func.func @truth
// CHECK:       %[[C:.*]] = hbir.less
// CHECK-NEXT:  %[[Q:.*]] = qnt.const_fake_quant %[[C]] {min = [0.0], max = [1.0]}
// CHECK-NEXT:  hbir.where %[[Q]]
// CHECK:       %[[F:.*]] = hbir.less %x, %x
// CHECK-NEXT:  func.return {{.*}}, %[[F]]
func.func @truth(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %a = qnt.const_fake_quant %x {min = [-64.0], max = [63.5]} : tensor<4xf32>
  %n = hbir.constant dense<0.5> : tensor<f32>
  %c = hbir.less %a, %n : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  %w = hbir.where %c, %a, %a : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %f = hbir.less %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  func.return %w, %f : tensor<4xf32>, tensor<4xf32>
}

// What is moved of float16 is float16.

// CHECK-LABEL: func.func @float16
// CHECK: %[[P:.*]] = hbir.max_pool %{{.*}}
// CHECK-NEXT: %[[F:.*]] = hbir.fake_cast %[[P]] {dtype = f16}
// CHECK-NEXT: func.return %[[F]]
func.func @float16(%x: tensor<1x2x2x1xf32>) -> tensor<1x1x1x1xf32> {
  %q = hbir.fake_cast %x {dtype = f16} : tensor<1x2x2x1xf32>
  %p = hbir.max_pool %q {kernel = [2, 2]} : (tensor<1x2x2x1xf32>) -> tensor<1x1x1x1xf32>
  func.return %p : tensor<1x1x1x1xf32>
}

// The fake-quant of one reader is for all, those before it too.

// CHECK-LABEL: func.func @late
// CHECK:       %[[R:.*]] = hbir.relu %x
// CHECK-NEXT:  %[[Q:.*]] = qnt.const_fake_quant %[[R]]
// CHECK-NEXT:  %[[T:.*]] = hbir.transpose %[[Q]]
// CHECK:       func.return %{{.*}}, %[[Q]]
func.func @late(%x: tensor<2x4xf32>) -> (tensor<4x2xf32>, tensor<2x4xf32>) {
  %r = hbir.relu %x : tensor<2x4xf32>
  %t = hbir.transpose %r {dims = [1, 0]} : (tensor<2x4xf32>) -> tensor<4x2xf32>
  %q = qnt.const_fake_quant %r {min = [-2.56], max = [2.54]} : tensor<2x4xf32>
  func.return %t, %q : tensor<4x2xf32>, tensor<2x4xf32>
}

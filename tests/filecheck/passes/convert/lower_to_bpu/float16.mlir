// RUN: hbir-opt %s -p place-ops,expand-fake-quants,lower-to-bpu,cancel-quantize-dequantize,dead-code-elimination --elide-constants | filecheck %s

// Ops of float16 have no multipliers; integers beside it become float16 first.

// CHECK-LABEL: func.func @elementwise
// CHECK: %[[X:.*]] = qnt.quantize %x {{.*}} to tensor<4xf16>
// CHECK: %[[Y:.*]] = qnt.quantize %y {{.*}} to tensor<4xsi8>
// CHECK: %[[F:.*]] = qnt.dequantize %[[Y]], {{.*}} -> tensor<4xf16>
// CHECK: %[[A:.*]] = bpu.float_add %[[X]], %[[F]] {{.*}} -> tensor<4xf16>
// CHECK: %[[M:.*]] = bpu.float_mul %[[X]], %[[A]] {{.*}} -> tensor<4xf16>
// CHECK: qnt.quantize %[[M]] {{.*}}scale = 5.000000e-01 : f32} : tensor<4xf16> to tensor<4xsi8>
func.func @elementwise(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  %a = hbir.fake_cast %x {dtype = f16} : tensor<4xf32>
  %b = qnt.const_fake_quant %y {min = [-32.0], max = [31.75]} : tensor<4xf32>
  %c = hbir.add %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %d = hbir.fake_cast %c {dtype = f16} : tensor<4xf32>
  %e = hbir.mul %a, %d : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %f = qnt.const_fake_quant %e {min = [-64.0], max = [63.5]} : tensor<4xf32>
  func.return %f : tensor<4xf32>
}

// A number that is a float16 stays one; another function is a table, from and to any form.

// CHECK-LABEL: func.func @tables
// CHECK: %[[R:.*]] = bpu.max %{{.*}}, %{{.*}} : (tensor<4xf16>, tensor<1xf16>) -> tensor<4xf16>
// CHECK: %[[H:.*]] = bpu.float_mul %[[R]], %{{.*}} : (tensor<4xf16>, tensor<1xf16>)
// CHECK: %[[T:.*]] = bpu.lut %[[H]], %{{.*}} : (tensor<4xf16>, tensor<65536xf16>) -> tensor<4xf16>
// CHECK: %[[G:.*]] = bpu.lut %[[T]], %{{.*}} : (tensor<4xf16>, tensor<65536xsi8>) -> tensor<4xsi8>
// CHECK: bpu.lut %[[G]], %{{.*}} : (tensor<4xsi8>, tensor<256xf16>) -> tensor<4xf16>
func.func @tables(%x: tensor<4xf32>) -> tensor<4xf32> {
  %half = hbir.constant dense<[0.5]> : tensor<1xf32>
  %tenth = hbir.constant dense<[0.1]> : tensor<1xf32>
  %a = hbir.fake_cast %x {dtype = f16} : tensor<4xf32>
  %b = hbir.relu %a : tensor<4xf32>
  %c = hbir.fake_cast %b {dtype = f16} : tensor<4xf32>
  %d = hbir.mul %c, %half : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %e = hbir.fake_cast %d {dtype = f16} : tensor<4xf32>
  %f = hbir.mul %e, %tenth : (tensor<4xf32>, tensor<1xf32>) -> tensor<4xf32>
  %g = hbir.fake_cast %f {dtype = f16} : tensor<4xf32>
  %h = hbir.tanh %g : tensor<4xf32>
  %i = qnt.const_fake_quant %h {min = [-1.28], max = [1.27]} : tensor<4xf32>
  %j = hbir.gelu %i : tensor<4xf32>
  %k = hbir.fake_cast %j {dtype = f16} : tensor<4xf32>
  func.return %k : tensor<4xf32>
}

// A convolution multiplies integers and gives float16, its residual among it; a bound that is no
// whole number is an op of its own.

// CHECK-LABEL: func.func @group
// CHECK: %[[C:.*]] = bpu.conv2d %{{.*}}clip = [0, 65504]{{.*}} : (tensor<1x1x1x2xsi8>, tensor<2x1x1x2xsi8>, tensor<2x3xsi32>, tensor<1x1x1x2xf16>) -> tensor<1x1x1x2xf16>
// CHECK: %[[D:.*]] = bpu.conv2d {{.*}}tensor<2x3xsi32>) -> tensor<1x1x1x2xf16>
// CHECK: %[[M:.*]] = bpu.max %[[D]]
// CHECK: bpu.min %[[M]]
func.func @group(%x: tensor<1x1x1x2xf32>, %y: tensor<1x1x1x2xf32>) -> (tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>) {
  %w = hbir.constant dense<[[[[1.0, -2.0]]], [[[0.5, 0.25]]]]> : tensor<2x1x1x2xf32>
  %a = qnt.const_fake_quant %x {min = [-1.28], max = [1.27]} : tensor<1x1x1x2xf32>
  %b = hbir.fake_cast %y {dtype = f16} : tensor<1x1x1x2xf32>
  %c = hbir.conv2d %a, %w {fusion_group = 0 : i64} : (tensor<1x1x1x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  %d = hbir.add %c, %b {fusion_group = 0 : i64} : (tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  %e = hbir.relu %d {fusion_group = 0 : i64} : tensor<1x1x1x2xf32>
  %f = hbir.fake_cast %e {dtype = f16} : tensor<1x1x1x2xf32>
  %g = hbir.conv2d %a, %w {fusion_group = 1 : i64} : (tensor<1x1x1x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  %h = hbir.clip %g {min = -0.5, max = 0.5, fusion_group = 1 : i64} : tensor<1x1x1x2xf32>
  %i = hbir.fake_cast %h {dtype = f16} : tensor<1x1x1x2xf32>
  func.return %f, %i : tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>
}

// Where the result is integers, what has a float16 residual is float16 before it is quantized.

// CHECK-LABEL: func.func @residual
// CHECK: %[[C:.*]] = bpu.conv2d {{.*}} -> tensor<1x1x1x2xf16>
// CHECK: qnt.quantize %[[C]] {{.*}} to tensor<1x1x1x2xsi8>
func.func @residual(%x: tensor<1x1x1x2xf32>, %y: tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32> {
  %w = hbir.constant dense<[[[[1.0, -2.0]]], [[[0.5, 0.25]]]]> : tensor<2x1x1x2xf32>
  %a = qnt.const_fake_quant %x {min = [-1.28], max = [1.27]} : tensor<1x1x1x2xf32>
  %b = hbir.fake_cast %y {dtype = f16} : tensor<1x1x1x2xf32>
  %c = hbir.conv2d %a, %w {fusion_group = 0 : i64} : (tensor<1x1x1x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  %d = hbir.add %c, %b {fusion_group = 0 : i64} : (tensor<1x1x1x2xf32>, tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  %e = qnt.const_fake_quant %d {min = [-1.28], max = [1.27]} : tensor<1x1x1x2xf32>
  func.return %e : tensor<1x1x1x2xf32>
}

// Rows, reductions, pools, moves.

// CHECK-LABEL: func.func @families
// CHECK: bpu.float_softmax {{.*}} -> tensor<1x2x2x2xf16>
// CHECK: bpu.float_layernorm {{.*}}epsilon = 1.000000e-05 : f64{{.*}}tensor<2x2xf32>) -> tensor<1x2x2x2xf16>
// CHECK: bpu.float_avg_pool
// CHECK: bpu.concat {{.*}} : (tensor<1x1x1x2xf16>, tensor<1x1x1x2xf16>) -> tensor<1x2x1x2xf16>
// CHECK: bpu.float_reduce_mean {{.*}}dims = [1, 2]
func.func @families(%x: tensor<1x2x2x2xf32>) -> tensor<1x1x1x2xf32> {
  %k = hbir.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %a = hbir.fake_cast %x {dtype = f16} : tensor<1x2x2x2xf32>
  %b = hbir.softmax %a {dim = 3} : tensor<1x2x2x2xf32>
  %c = hbir.fake_cast %b {dtype = f16} : tensor<1x2x2x2xf32>
  %d = hbir.layernorm %c, %k, %k {dims = [3], eps = 1.0e-05} : (tensor<1x2x2x2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
  %e = hbir.fake_cast %d {dtype = f16} : tensor<1x2x2x2xf32>
  %f = hbir.avg_pool %e {kernel = [2, 2]} : (tensor<1x2x2x2xf32>) -> tensor<1x1x1x2xf32>
  %g = hbir.fake_cast %f {dtype = f16} : tensor<1x1x1x2xf32>
  %h = hbir.pad %g {begin = [0, 1, 0, 0], end = [0, 0, 0, 0], padValue = 0.3} : (tensor<1x1x1x2xf32>) -> tensor<1x2x1x2xf32>
  %i = hbir.fake_cast %h {dtype = f16} : tensor<1x2x1x2xf32>
  %j = hbir.reduce_mean %i {dims = [1, 2], keepDim = true} : (tensor<1x2x1x2xf32>) -> tensor<1x1x1x2xf32>
  %l = hbir.fake_cast %j {dtype = f16} : tensor<1x1x1x2xf32>
  func.return %l : tensor<1x1x1x2xf32>
}

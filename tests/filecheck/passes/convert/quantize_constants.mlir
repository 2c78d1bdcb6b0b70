// RUN: hbir-opt %s -p quantize-constants | filecheck %s

// From the constant's largest magnitude, 2.54 / 127 = 0.02; a single number stays, for a table.

// CHECK-LABEL: func.func @f
// CHECK: %c = hbir.constant
// CHECK-NEXT: %[[Q:.*]] = qnt.const_fake_quant %c {{.*}}max = [{{2.5[34].*}}]
// CHECK: hbir.mul %x, %[[Q]]
// CHECK-NEXT: hbir.add %{{[a-z0-9_]+}}, %number :
func.func @f(%x: tensor<2xf32>) -> tensor<2xf32> {
  %c = hbir.constant dense<[1.0, -2.54]> : tensor<2xf32>
  %number = hbir.constant dense<3.0> : tensor<f32>
  %a = hbir.mul %x, %c : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %b = hbir.add %a, %number : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  func.return %b : tensor<2xf32>
}

// A grid that is constant is 16 bits wide, and what is far outside the image doesn't stretch it.

// CHECK-LABEL: func.func @grid
// CHECK: qnt.const_fake_quant %g {{.*}}bits = 16 : i64, min = [-1.5000457763671875], max = [1.4999999986030161]
func.func @grid(%x: tensor<1x2x9x2xf32>) -> tensor<1x1x2x2xf32> {
  %g = hbir.constant dense<[[[[-0.5, 0.25], [1.0e6, 0.5]]]]> : tensor<1x1x2x2xf32>
  %q = qnt.const_fake_quant %x {min = [-128.0], max = [127.0]} : tensor<1x2x9x2xf32>
  %a = hbir.grid_sample %q, %g : (tensor<1x2x9x2xf32>, tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
  %b = qnt.const_fake_quant %a {min = [-128.0], max = [127.0]} : tensor<1x1x2x2xf32>
  func.return %b : tensor<1x1x2x2xf32>
}

// Beside float16, a constant is float16.

// CHECK-LABEL: func.func @float16
// CHECK: %c = hbir.constant
// CHECK-NEXT: %[[F:.*]] = hbir.fake_cast %c {dtype = f16}
// CHECK: hbir.mul %{{.*}}, %[[F]]
func.func @float16(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %c = hbir.constant dense<[0.5, 2.54]> : tensor<2xf32>
  %a = hbir.fake_cast %x {dtype = f16} : tensor<1x2xf32>
  %b = hbir.mul %a, %c : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  func.return %b : tensor<1x2xf32>
}

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

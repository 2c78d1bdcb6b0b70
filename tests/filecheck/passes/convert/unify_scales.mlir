// RUN: hbir-opt %s -p unify-scales | filecheck %s

// The operand with another scale is requantized once before the concat, the other isn't.

// CHECK-LABEL: func.func @f
// CHECK: %[[A:.*]] = qnt.const_fake_quant %x {{.*}}max = [1.27]
// CHECK-NEXT: %[[A2:.*]] = qnt.const_fake_quant %[[A]] {{.*}}max = [2.54]
// CHECK-NEXT: %[[B:.*]] = qnt.const_fake_quant %y {{.*}}max = [2.54]
// CHECK-NEXT: hbir.concat %[[A2]], %[[B]]
func.func @f(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<8xf32> {
  %a = qnt.const_fake_quant %x {min = [-1.28], max = [1.27]} : tensor<4xf32>
  %b = qnt.const_fake_quant %y {min = [-2.56], max = [2.54]} : tensor<4xf32>
  %c = hbir.concat %a, %b {dim = 0} : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  %d = qnt.const_fake_quant %c {min = [-2.56], max = [2.54]} : tensor<8xf32>
  func.return %d : tensor<8xf32>
}

// Beside float16, integers become float16 before the concat.

// CHECK-LABEL: func.func @float16
// CHECK: %[[A:.*]] = qnt.const_fake_quant %x
// CHECK-NEXT: %[[A2:.*]] = hbir.fake_cast %[[A]]
// CHECK: hbir.concat %[[A2]], %
func.func @float16(%x: tensor<1x2xf32>, %y: tensor<1x2xf32>) -> tensor<1x4xf32> {
  %a = qnt.const_fake_quant %x {min = [-1.28], max = [1.27]} : tensor<1x2xf32>
  %b = hbir.fake_cast %y {dtype = f16} : tensor<1x2xf32>
  %c = hbir.concat %a, %b {dim = 1} : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x4xf32>
  %d = hbir.fake_cast %c {dtype = f16} : tensor<1x4xf32>
  func.return %d : tensor<1x4xf32>
}

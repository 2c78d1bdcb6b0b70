// RUN: python %S/Inputs/onnx_text.py %s %t.onnx && hbir-opt %t.onnx | filecheck %s

// Names, shapes and layouts of the ports stay NCHW; inside, tensors are channel-last, and origins
// say the source tensor, its permutation, and the node.

// CHECK:      func.func @net(%image: tensor<1x1x4x4xf32> {hbir.name = "image", hbir.id = 1 : i64})
// CHECK-SAME:   -> (tensor<1x2x1x1xf32> {hbir.name = "y", hbir.id = -1 : i64})
// CHECK-NEXT:   %[[X:.*]] = hbir.reshape %image {origin = #hbir.origin<"image", perm [0, 2, 3, 1]>, shape = [1, 4, 4, 1]}
// CHECK-NEXT:   %[[W:.*]] = hbir.constant dense<{{.*}}> : tensor<2x2x2x1xf32> {origin = #hbir.origin<"w", perm [0, 2, 3, 1]>}
// CHECK-NEXT:   %[[C:.*]] = hbir.conv2d %[[X]], %[[W]] {origin = #hbir.origin<"a", perm [0, 2, 3, 1], from "first" "Conv">, stride = [2, 2]} : (tensor<1x4x4x1xf32>, tensor<2x2x2x1xf32>) -> tensor<1x2x2x2xf32>
// CHECK-NEXT:   %[[R:.*]] = hbir.relu %[[C]] {origin = #hbir.origin<"b", perm [0, 2, 3, 1], from "Relu_1" "Relu">}
// CHECK-NEXT:   %[[G:.*]] = hbir.reduce_mean %[[R]] {origin = #hbir.origin<"y", perm [0, 2, 3, 1], from "Pool" "GlobalAveragePool">, dims = [1, 2]}
// CHECK-NEXT:   %[[Y:.*]] = hbir.reshape %[[G]] {origin = #hbir.origin<"y", from "Pool" "GlobalAveragePool">, shape = [1, 2, 1, 1]}
// CHECK-NEXT:   func.return %[[Y]]
<ir_version: 8, opset_import: ["" : 17]>
net (float[N, 1, 4, 4] image) => (float[N, 2, 1, 1] y)
<float[2, 1, 2, 2] w = {1, 2, 3, 4, 5, 6, 7, 8}>
{
  [first] a = Conv <strides = [2, 2]> (image, w)
  b = Relu (a)
  [Pool] y = GlobalAveragePool (b)
}

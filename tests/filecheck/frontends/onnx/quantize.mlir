// RUN: python %S/Inputs/onnx_text.py %s %t.onnx && hbir-opt %t.onnx | filecheck %s

// A QuantizeLinear/DequantizeLinear pair is a fake-quant of its grid, uint8 moved by -128 (scale
// 0.5, zero point 130 → 2: -130 · 0.5 … 125 · 0.5). A dequantized weight is a constant on its grid.

// CHECK:      %[[Q:.*]] = qnt.const_fake_quant %x {origin = #hbir.origin<"xq", from "DequantizeLinear_1" "DequantizeLinear">, min = [-65.0], max = [62.5]}
// CHECK-NEXT: %[[W:.*]] = hbir.constant dense<{{\[\[}}1.000000e+00, -5.000000e-01], [2.500000e+00, 0.000000e+00]]> : tensor<2x2xf32> {origin = #hbir.origin<"wq">}
// CHECK-NEXT: %[[V:.*]] = qnt.const_fake_quant %[[W]] {origin = #hbir.origin<"wq">, min = [-64.0, -32.0], max = [63.5, 31.75], axis = 1 : i64}
// CHECK-NEXT: hbir.linear %[[Q]], %[[V]]
<ir_version: 8, opset_import: ["" : 17]>
net (float[3, 2] x) => (float[3, 2] y)
<float s = {0.5}, uint8 z = {130}, int8[2, 2] w = {2, -2, 5, 0}, float[2] v = {0.5, 0.25}>
{
  q = QuantizeLinear (x, s, z)
  xq = DequantizeLinear (q, s, z)
  wq = DequantizeLinear <axis = 1> (w, v)
  y = MatMul (xq, wq)
}

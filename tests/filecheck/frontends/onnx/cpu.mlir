// RUN: python %S/Inputs/onnx_text.py %s %t.onnx && hbir-opt %t.onnx | filecheck %s

// Nodes without BPU form become CPU ops that say why, in the source layout.

// CHECK:      %[[C:.*]] = hbtl.call "onnx::Hardmax"(%x) {{.*}}reason = "Hardmax has no BPU form"
// CHECK:      hbtl.call "onnx::Pad"(%[[C]], %{{.*}}) {{.*}}attributes = {mode = "edge"}{{.*}}reason = "Pad: mode must be constant, got 'edge'"
<ir_version: 8, opset_import: ["" : 17]>
net (float[3, 4] x) => (float[5, 4] y)
<int64[4] pads = {1, 0, 1, 0}>
{
  a = Hardmax <axis = 1> (x)
  y = Pad <mode = "edge"> (a, pads)
}

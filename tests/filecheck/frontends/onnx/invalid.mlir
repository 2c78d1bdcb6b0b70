// RUN: python %S/Inputs/onnx_text.py %s %t.onnx && not hbir-opt %t.onnx 2>&1 | filecheck %s

// What can't be run at all is refused by operator, node and constraint.

// CHECK:     error: {{.*}}.onnx: NonZero node 'where' is not supported: the shape of its result 'y' is not known before it runs
// CHECK-NOT: Traceback
<ir_version: 8, opset_import: ["" : 17]>
net (float[3, 4] x) => (int64[2, N] y)
{
  [where] y = NonZero (x)
}

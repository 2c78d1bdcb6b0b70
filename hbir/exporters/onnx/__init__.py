"""Float and qat modules as ONNX files that onnxruntime runs and Netron shows.

`exporter` walks a function, `node_export` is what an op's export function works with, `graph` holds
the file being made, and the op families' files say which ONNX nodes each op is: the mirror of
`hbir/frontends/onnx`. Names of nodes and tensors are those of the user's model.
"""

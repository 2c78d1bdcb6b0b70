"""Changes of the element type, and the simulation of float16."""

from __future__ import annotations

from onnx import TensorProto, helper

from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.registry import exports

FLOAT16_MAX = 65504.0


@exports("hbir.cast_type")
def cast_type(node: NodeExport) -> None:
    """Cast. ONNX leaves open what a float beyond the range of integers becomes."""
    to = helper.np_dtype_to_tensor_dtype(node.params["dtype"])
    node.finish("Cast", node.own(), layout=node.layout(), to=to)


@exports("hbir.fake_cast")
def fake_cast(node: NodeExport) -> None:
    """Cast to float16, which saturates on the machine, and back."""
    bounds = node.number(-FLOAT16_MAX), node.number(FLOAT16_MAX)
    half = node.emit("Cast", node.emit("Clip", node.own(), *bounds), to=TensorProto.FLOAT16)
    node.finish("Cast", half, layout=node.layout(), to=TensorProto.FLOAT)

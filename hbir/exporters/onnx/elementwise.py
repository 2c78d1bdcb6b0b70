"""Element-wise ops of two tensors."""

from __future__ import annotations

from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.registry import exports

OPERATORS = {
    "hbir.add": "Add",
    "hbir.sub": "Sub",
    "hbir.mul": "Mul",
    "hbir.div": "Div",
    "hbir.max": "Max",
    "hbir.min": "Min",
    "hbir.pow": "Pow",
}


@exports(*OPERATORS)
def binary(node: NodeExport) -> None:
    """One operator, in the layout of the operands."""
    tensors, layout = node.broadcast(0, 1)
    node.finish(OPERATORS[node.name], *tensors, layout=layout)


@exports("hbir.mod")
def modulo(node: NodeExport) -> None:
    """Mod with the dividend's sign; with the divisor's, which ONNX has of integers alone,
    r + y where r and y differ in sign."""
    (x, y), layout = node.broadcast(0, 1)
    if node.params["same_sign_as_dividend"]:
        node.finish("Mod", x, y, layout=layout, fmod=1)
        return
    rest = node.emit("Mod", x, y, fmod=1)
    differ = node.emit("Less", node.emit("Mul", rest, y), node.number(0.0))
    node.finish("Where", differ, node.emit("Add", rest, y), rest, layout=layout)

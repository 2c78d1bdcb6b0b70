"""Elementary functions of each element."""

from __future__ import annotations

from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.registry import exports

OPERATORS = {
    "hbir.abs": "Abs",
    "hbir.neg": "Neg",
    "hbir.sign": "Sign",
    "hbir.floor": "Floor",
    "hbir.ceil": "Ceil",
    "hbir.sqrt": "Sqrt",
    "hbir.log": "Log",
    "hbir.erf": "Erf",
    "hbir.sin": "Sin",
    "hbir.cos": "Cos",
    "hbir.tan": "Tan",
    "hbir.sinh": "Sinh",
    "hbir.cosh": "Cosh",
    "hbir.asin": "Asin",
    "hbir.acos": "Acos",
    "hbir.atan": "Atan",
    "hbir.asinh": "Asinh",
    "hbir.acosh": "Acosh",
    "hbir.atanh": "Atanh",
    "hbir.relu": "Relu",
    "hbir.sigmoid": "Sigmoid",
    "hbir.tanh": "Tanh",
    "hbir.hard_swish": "HardSwish",
    "hbir.exp": "Exp",
    "hbir.reciprocal": "Reciprocal",
    "hbir.mish": "Mish",
    "hbir.softsign": "Softsign",
    "hbir.logical_not": "Not",
}
"""Ops of one operand and no parameters, which ONNX has as they are."""


@exports(*OPERATORS)
def unary(node: NodeExport) -> None:
    """One operator."""
    node.finish(OPERATORS[node.name], node.own(), layout=node.layout())


@exports("hbir.rsqrt")
def rsqrt(node: NodeExport) -> None:
    """1 / √x."""
    node.finish("Reciprocal", node.emit("Sqrt", node.own()), layout=node.layout())


@exports("hbir.round")
def round_(node: NodeExport) -> None:
    """Round to a multiple of 10^−decimals, in float64 as hbir's kernel."""
    if not node.params["decimals"]:
        node.finish("Round", node.own(), layout=node.layout())
        return
    factor = 10.0 ** node.params["decimals"]
    wide = node.emit("Cast", node.own(), to=_DOUBLE)
    scaled = node.emit("Mul", wide, node.number(factor, "float64"))
    rounded = node.emit("Round", scaled)
    back = node.emit("Div", rounded, node.number(factor, "float64"))
    node.finish("Cast", back, layout=node.layout(), to=_FLOAT)


_FLOAT, _DOUBLE = 1, 11
"""TensorProto's element types."""

"""Elementary functions of one element."""

from __future__ import annotations

from xdsl.ir import SSAValue

from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports

_PLAIN = {
    "Abs": "abs",
    "Acos": "acos",
    "Acosh": "acosh",
    "Asin": "asin",
    "Asinh": "asinh",
    "Atan": "atan",
    "Atanh": "atanh",
    "Ceil": "ceil",
    "Cos": "cos",
    "Cosh": "cosh",
    "Erf": "erf",
    "Floor": "floor",
    "Log": "log",
    "Neg": "neg",
    "Round": "round",
    "Sign": "sign",
    "Sin": "sin",
    "Sinh": "sinh",
    "Sqrt": "sqrt",
    "Tan": "tan",
}


@imports(*_PLAIN)
def plain(node: NodeImport) -> SSAValue:
    """Elementary functions → the op of the same name. On integers they stay on the CPU."""
    return node.result(_PLAIN[node.node.type], node.value(0))

"""Comparisons, logic, and Where."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports

_COMPARISONS = {
    "Equal": "equal",
    "Greater": "greater",
    "GreaterOrEqual": "greater_equal",
    "Less": "less",
    "LessOrEqual": "less_equal",
}
_LOGIC = {"And": "logical_and", "Or": "logical_or", "Xor": "logical_xor"}


@imports(*_COMPARISONS)
def comparison(node: NodeImport) -> SSAValue:
    """Comparisons of floats → the op of the same name; Equal of truth values → xor, then not."""
    lhs, rhs = node.value(0), node.value(1)
    if node.dtype(0) == np.bool_ and node.node.type == "Equal":
        return node.result("logical_not", node.emit("logical_xor", lhs, rhs))
    return node.result(_COMPARISONS[node.node.type], lhs, rhs)


@imports(*_LOGIC)
def logic(node: NodeImport) -> SSAValue:
    """And, Or, Xor → logical_and, logical_or, logical_xor."""
    return node.result(_LOGIC[node.node.type], node.value(0), node.value(1))


@imports("Not")
def logical_not(node: NodeImport) -> SSAValue:
    """Not → logical_not."""
    return node.result("logical_not", node.value(0))


@imports("Where")
def where(node: NodeImport) -> SSAValue:
    """Where → where."""
    return node.result("where", node.value(0), node.value(1), node.value(2))

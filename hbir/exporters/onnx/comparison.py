"""Comparisons, logic, and choosing by a condition.

Truth values are ONNX's bool, or where the IR has them so the float numbers 0 and 1.
"""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.registry import exports
from hbir.ir.types import dtype_of

COMPARISONS = {
    "hbir.equal": "Equal",
    "hbir.not_equal": "Equal",
    "hbir.greater": "Greater",
    "hbir.greater_equal": "GreaterOrEqual",
    "hbir.less": "Less",
    "hbir.less_equal": "LessOrEqual",
}

LOGIC = {"hbir.logical_and": "And", "hbir.logical_or": "Or", "hbir.logical_xor": "Xor"}


@exports(*COMPARISONS)
def compare(node: NodeExport) -> None:
    """One comparison; ONNX has no NotEqual."""
    tensors, layout = node.broadcast(0, 1)
    steps = [COMPARISONS[node.name], *(["Not"] if node.name == "hbir.not_equal" else [])]
    as_numbers = dtype_of(node.result) != np.bool_
    for step in steps if as_numbers else steps[:-1]:
        tensors = [node.emit(step, *tensors)]
    if as_numbers:
        node.finish("Cast", *tensors, layout=layout, to=TensorProto.FLOAT)
    else:
        node.finish(steps[-1], *tensors, layout=layout)


@exports(*LOGIC)
def logic(node: NodeExport) -> None:
    """One operator."""
    tensors, layout = node.broadcast(0, 1)
    node.finish(LOGIC[node.name], *tensors, layout=layout)


@exports("hbir.where")
def where(node: NodeExport) -> None:
    """Where; a condition of numbers becomes one of truth values."""
    (condition, lhs, rhs), layout = node.broadcast(0, 1, 2)
    if node.dtype(0) != np.bool_:
        condition = node.emit("Cast", condition, to=TensorProto.BOOL)
    node.finish("Where", condition, lhs, rhs, layout=layout)

"""Changes of the element type, and operators that change nothing."""

from __future__ import annotations

import numpy as np

from hbir.errors import HbirError
from hbir.frontends import compositions
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports
from hbir.frontends.torch.values import Value
from hbir.ir.types import element_type


@imports("_to_copy.default", "to.dtype", "to.device")
def cast(node: NodeImport) -> list[Value]:
    """to → cast_type, or nothing when the type stays."""
    operand = node.operand("self")
    if operand.dtype == node.result_dtype:
        return [operand.value]
    try:
        element = element_type(node.result_dtype)
    except HbirError as error:
        raise NoBpuForm(str(error)) from error
    return [node.result("cast_type", node.value("self"), element=element)]


@imports(
    "alias.default",
    "clone.default",
    "contiguous.default",
    "detach.default",
    "lift_fresh_copy.default",
)
def identity(node: NodeImport) -> list[Value]:
    """Copies → nothing."""
    return [node.operand("self").value]


@imports("fill.Scalar", "full_like.default", "new_full.default")
def filled(node: NodeImport) -> list[Value]:
    """A tensor of one number, whatever self holds → a constant."""
    name = "value" if node.kind == "fill" else "fill_value"
    return [np.full(node.shapes[0], node.float_(name), node.result_dtype)]


@imports("zeros_like.default", "new_zeros.default", "ones_like.default", "new_ones.default")
def zeros_or_ones(node: NodeImport) -> list[Value]:
    """A tensor of zeros or ones, whatever self holds → a constant."""
    number = 1 if "ones" in node.kind else 0
    return [np.full(node.shapes[0], number, node.result_dtype)]


@imports("dropout.default")
def dropout(node: NodeImport) -> list[Value]:
    """dropout → nothing. It must not be in training mode."""
    if node.bool_("train"):
        raise NoBpuForm("it is in training mode; call module.eval() before the export")
    return [node.operand("input").value]


@imports("copy.default", "fill.Tensor")
def copied(node: NodeImport) -> list[Value]:
    """x[...] = y, whatever x holds → y broadcast."""
    operand = node.operand("src" if node.kind == "copy" else "value")
    if operand.dtype != node.result_dtype:
        raise NoBpuForm(f"it must keep the element type, {operand.dtype}")
    if operand.known is not None:
        return [np.broadcast_to(operand.known, node.shapes[0])]
    return [compositions.expand(node, node.materialized(operand), node.shapes[0])]

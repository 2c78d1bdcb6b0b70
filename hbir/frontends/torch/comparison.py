"""Comparisons, logic, and choosing by a condition."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports

_COMPARISONS = {
    "eq": "equal",
    "ge": "greater_equal",
    "gt": "greater",
    "le": "less_equal",
    "lt": "less",
    "ne": "not_equal",
}
_LOGIC = ("logical_and", "logical_or", "logical_xor")
_BITWISE = {"bitwise_and": "logical_and", "bitwise_or": "logical_or", "bitwise_xor": "logical_xor"}


@imports(*(f"{name}.{overload}" for name in _COMPARISONS for overload in ("Tensor", "Scalar")))
def comparison(node: NodeImport) -> SSAValue:
    """Comparisons of floats → the op of the same name."""
    return node.result(_COMPARISONS[node.kind], node.value("self"), node.value("other"))


@imports(*(f"{name}.default" for name in _LOGIC))
def logic(node: NodeImport) -> SSAValue:
    """logical_and, logical_or, logical_xor → the op of the same name."""
    return node.result(node.kind, node.value("self"), node.value("other"))


@imports(*(f"{name}.Tensor" for name in _BITWISE))
def bitwise(node: NodeImport) -> SSAValue:
    """bitwise_and, bitwise_or, bitwise_xor of truth values → logical_and, ..."""
    return node.result(_BITWISE[node.kind], node.value("self"), node.value("other"))


@imports("logical_not.default", "bitwise_not.default")
def negation(node: NodeImport) -> SSAValue:
    """logical_not, bitwise_not of truth values → logical_not."""
    return node.result("logical_not", node.value("self"))


@imports("where.self", "where.ScalarOther", "where.ScalarSelf", "where.Scalar")
def where(node: NodeImport) -> SSAValue:
    """where → where."""
    return node.result("where", *(node.value(name) for name in ("condition", "self", "other")))


@imports("masked_fill.Scalar", "masked_fill.Tensor")
def masked_fill(node: NodeImport) -> SSAValue:
    """masked_fill → where."""
    if node.operand("mask").dtype != np.bool_:
        raise NoBpuForm("its mask must hold truth values")
    return node.result("where", *(node.value(name) for name in ("mask", "value", "self")))

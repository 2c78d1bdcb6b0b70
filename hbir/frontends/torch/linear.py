"""Linear layers and matrix products."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports
from hbir.frontends.torch.values import Operand
from hbir.ir.types import Array, shape_of


@imports("linear.default")
def linear(node: NodeImport) -> SSAValue:
    """linear → linear with the weight transposed; matmul when the weight is computed."""
    weight = node.rearranged("weight", (1, 0))
    bias = [node.value("bias")] if node.has("bias") else []
    if node.known("weight") is not None:
        return node.result("linear", node.value("input"), weight, *bias)
    if not bias:
        return node.result("matmul", node.value("input"), weight)
    return node.result("add", node.emit("matmul", node.value("input"), weight), *bias)


@imports("mm.default", "bmm.default")
def product(node: NodeImport) -> SSAValue:
    """mm, bmm → matmul, linear when the right side is a constant of rank 2."""
    return _product(node, node.operand("self"), node.operand("mat2"))


@imports("matmul.default")
def matmul(node: NodeImport) -> SSAValue:
    """matmul → linear when the right side is a constant of rank 2, else matmul."""
    return _product(node, node.operand("self"), node.operand("other"))


def _product(node: NodeImport, left: Operand, right: Operand) -> SSAValue:
    ranks = len(left.shape), len(right.shape)
    lhs, rhs = node.materialized(left), node.materialized(right)
    if right.known is not None and ranks[1] == 2:
        return node.result("linear", lhs, rhs)
    if min(ranks) >= 2:
        return node.result("matmul", lhs, rhs)
    if min(ranks) < 1:
        raise NoBpuForm("its inputs must have rank 1 or more")
    # A vector on the left is a row, on the right a column; that axis goes from the result.
    if ranks[0] == 1:
        lhs = node.reshape(lhs, (1, *left.shape))
    if ranks[1] == 1:
        rhs = node.reshape(rhs, (*right.shape, 1))
    return node.result("reshape", node.emit("matmul", lhs, rhs), shape=list(node.shapes[0]))


@imports("addmm.default")
def addmm(node: NodeImport) -> SSAValue:
    """beta · self + alpha · (mat1 · mat2) → linear; the factors must be 1."""
    if node.float_("beta") != 1 or node.float_("alpha") != 1:
        raise NoBpuForm("beta and alpha must be 1")
    bias, columns = node.operand("self"), node.shape("mat2")[1]
    lhs, rhs = node.value("mat1"), node.value("mat2")
    if node.known("mat2") is None:
        return node.result("add", node.emit("matmul", lhs, rhs), node.materialized(bias))
    row = _row(bias, columns)
    if row is not None:
        return node.result("linear", lhs, rhs, node.constant_value(row, bias.name))
    return node.result("add", node.emit("linear", lhs, rhs), node.materialized(bias))


def _row(bias: Operand, columns: int) -> Array | None:
    """A constant bias as one value per column; None when it differs from row to row."""
    array = bias.known
    if (
        array is None
        or array.size not in (1, columns)
        or array.shape[-1:] not in ((), (1,), (columns,))
    ):
        return None
    return np.broadcast_to(array.reshape(-1), (columns,))


@imports("baddbmm.default")
def baddbmm(node: NodeImport) -> SSAValue:
    """beta · self + alpha · (batch1 · batch2) → matmul, mul, add."""
    value = node.emit("matmul", node.value("batch1"), node.value("batch2"))
    for name in ("alpha", "beta"):
        if name == "beta" and node.float_(name) == 0:
            return node.reshape(value, shape_of(value), node.origin())
        factor = node.float_(name)
        if name == "alpha" and factor != 1:
            value = node.emit("mul", value, node.number(factor, name))
    other, beta = node.value("self"), node.float_("beta")
    if beta != 1:
        other = node.emit("mul", other, node.number(beta, "beta"))
    return node.result("add", value, other)

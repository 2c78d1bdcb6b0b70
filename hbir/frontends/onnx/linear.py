"""Gemm and MatMul."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from hbir.frontends.errors import NoBpuForm
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports
from hbir.frontends.onnx.values import known_array
from hbir.ir.types import Array, shape_of


@imports("Gemm")
def gemm(node: NodeImport) -> SSAValue:
    """alpha · A' · B' + beta · C → linear, with B a constant as its weight.

    alpha and beta other than 1 are folded into constants B and C where these are plain.
    """
    alpha, beta = node.float_("alpha", 1.0), node.float_("beta", 1.0)
    perm_a = (1, 0) if node.int_("transA", 0) else (0, 1)
    perm_b = (1, 0) if node.int_("transB", 0) else (0, 1)
    if len(node.shape(0)) != 2 or len(node.shape(1)) != 2:
        raise NoBpuForm("A and B must have rank 2")
    lhs = node.rearranged(0, perm_a)
    weight, plain = known_array(node.raw(1)), isinstance(node.raw(1), np.ndarray)
    if weight is not None and plain and alpha != 1.0:
        scaled = np.asarray(weight.transpose(perm_b) * np.float32(alpha), np.float32)
        rhs, alpha = node.constant_value(scaled, f"{node.node.inputs[1]}#alpha"), 1.0
    else:
        rhs = node.rearranged(1, perm_b)
    columns = shape_of(rhs)[1]
    bias = _row_bias(node, beta, columns) if alpha == 1.0 and weight is not None else None
    operation = "linear" if weight is not None else "matmul"
    if bias is not None:
        return node.result("linear", lhs, rhs, node.constant_value(bias, node.node.inputs[2]))
    if not node.has(2) and alpha == 1.0:
        return node.result(operation, lhs, rhs)
    product = _scaled(node, node.emit(operation, lhs, rhs), alpha, "alpha")
    if not node.has(2):
        return product
    return node.result("add", product, _scaled(node, node.value(2), beta, "beta"))


def _row_bias(node: NodeImport, beta: float, columns: int) -> Array | None:
    """beta · C as one value per column; None when C isn't a plain constant that is the same for
    each row."""
    if not node.has(2):
        return None
    array = node.raw(2)
    if not isinstance(array, np.ndarray) or (array.ndim == 2 and array.shape[0] != 1):
        return None
    if array.size not in (1, columns):
        return None
    scaled = array if beta == 1.0 else np.asarray(array * np.float32(beta), np.float32)
    return np.broadcast_to(scaled.reshape(-1), (columns,))


def _scaled(node: NodeImport, value: SSAValue, factor: float, what: str) -> SSAValue:
    if factor == 1.0:
        return value
    constant = node.constant_value(np.array(factor, np.float32), f"{node.node.outputs[0]}#{what}")
    return node.emit("mul", value, constant)


@imports("MatMul")
def matmul(node: NodeImport) -> SSAValue:
    """MatMul → linear when the right side is a constant of rank 2, else matmul."""
    left, right = len(node.shape(0)), len(node.shape(1))
    if min(left, right) < 1:
        raise NoBpuForm("its inputs must have rank 1 or more")
    if known_array(node.raw(1)) is not None and right == 2:
        return node.result("linear", node.value(0), node.value(1))
    if min(left, right) >= 2:
        return node.result("matmul", node.value(0), node.value(1))
    # A vector on the left is a row, on the right a column; that axis goes from the result.
    lhs, rhs = node.value(0), node.value(1)
    if left == 1:
        lhs = node.reshape(lhs, (1, *shape_of(lhs)))
    if right == 1:
        rhs = node.reshape(rhs, (*shape_of(rhs), 1))
    product = node.emit("matmul", lhs, rhs)
    *batch, rows, columns = shape_of(product)
    shape = [*batch, *([rows] if left > 1 else []), *([columns] if right > 1 else [])]
    return node.result("reshape", product, shape=shape)

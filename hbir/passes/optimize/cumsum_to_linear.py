"""Write running sums as products with a triangular matrix of ones, which the tensor engine has."""

from __future__ import annotations

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.linear import LinearOp
from hbir.dialects.hbir.move import ReshapeOp, TransposeOp
from hbir.dialects.hbir.reduce import CumsumOp
from hbir.ir.op import TensorOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import Array, shape_of
from hbir.passes.graph import derive_origin

MAX_ELEMENTS = 2048
"""Longest sum: its matrix has 4 MiB. Beyond, the products cost more than the CPU's additions."""


class CumsumToLinearPass(ModulePass):
    """cumsum over up to 2048 elements becomes a linear over the last axis; longer ones stay."""

    name = "cumsum-to-linear"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {CumsumOp: rewrite_cumsum})


def rewrite_cumsum(op: CumsumOp, rewrite: Rewrite) -> None:
    """x · W over the last axis, W[i, j] = 1 where element i counts for the sum at j."""
    shape, params = shape_of(op.x), op.params()
    axis: int = params["axis"] % len(shape)
    if shape[axis] > MAX_ELEMENTS:
        return
    matrix = triangle(shape[axis], exclusive=params["exclusive"], reverse=params["reverse"])
    weights = rewrite.constant(matrix, before=op)
    rank = len(shape)
    swap = list(range(rank))
    swap[axis], swap[-1] = swap[-1], swap[axis]

    def step(new: TensorOp, suffix: str) -> SSAValue:
        derive_origin(new, op, suffix)
        return rewrite.insert(new, before=op).output

    if rank == 1:
        row = step(ReshapeOp.make(op.x, shape=[1, *shape]), "row")
        sums = step(LinearOp.make(row, weights), "sums")
        rewrite.replace(op, ReshapeOp.make(sums, shape=list(shape)))
    elif axis == rank - 1:
        rewrite.replace(op, LinearOp.make(op.x, weights))
    else:
        moved = step(TransposeOp.make(op.x, dims=swap), "transposed")
        sums = step(LinearOp.make(moved, weights), "sums")
        rewrite.replace(op, TransposeOp.make(sums, dims=swap))


def triangle(size: int, *, exclusive: bool, reverse: bool) -> Array:
    """(size, size) of 0 and 1: which elements i (rows) the sum at j (columns) has."""
    matrix = np.triu(np.ones((size, size), np.float32), 1 if exclusive else 0)
    return np.ascontiguousarray(matrix.T) if reverse else matrix

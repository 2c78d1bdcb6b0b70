"""Write a matmul by a constant matrix as a linear layer, the form that fusion knows."""

from __future__ import annotations

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.dialects.hbir.linear import LinearOp, MatmulOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import shape_of


class MatmulToLinearPass(ModulePass):
    """matmul(x, constant (K, N)) becomes linear(x, constant)."""

    name = "matmul-to-linear"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {MatmulOp: convert})


def convert(op: MatmulOp, rewrite: Rewrite) -> None:
    """Leading extents of 1 of the constant go when they don't enlarge the result."""
    weights = rewrite.constant_value(op.rhs)
    if weights is None or any(extent != 1 for extent in weights.shape[:-2]):
        return
    if len(shape_of(op.lhs)) < weights.ndim:
        return
    matrix = op.rhs
    if weights.ndim > 2:
        matrix = rewrite.constant(weights.reshape(weights.shape[-2:]), before=op)
    rewrite.replace(op, LinearOp.make(op.lhs, matrix))

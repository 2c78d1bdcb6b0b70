"""Remove integer reshapes and transposes that undo each other or change nothing."""

from __future__ import annotations

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.passes import ModulePass

from hbir.dialects.bpu.move import ReshapeOp, TransposeOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import shape_of
from hbir.passes.graph import defined_by


class SimplifyMovesPass(ModulePass):
    """Merge chains of bpu.reshape and bpu.transpose; one that keeps the order is a reshape."""

    name = "simplify-moves"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {ReshapeOp: simplify_reshape, TransposeOp: simplify_transpose})


def simplify_reshape(op: ReshapeOp, rewrite: Rewrite) -> None:
    """To the same shape: nothing. Of a reshape: one reshape."""
    if op.x.type == op.output.type:
        rewrite.replace(op, op.x)
        return
    inner = defined_by(op.x, ReshapeOp)
    if inner is not None:
        rewrite.replace(op, ReshapeOp.make(inner.x, shape=op.shape), also=[inner])


def simplify_transpose(op: TransposeOp, rewrite: Rewrite) -> None:
    """The identity: nothing. Of a transpose: one transpose. Order of elements kept: a reshape."""
    dims: tuple[int, ...] = op.params()["dims"]
    shape = shape_of(op.x)
    if list(dims) == sorted(dims):
        rewrite.replace(op, op.x)
        return
    moved = [axis for axis in dims if shape[axis] != 1]
    if moved == sorted(moved):
        rewrite.replace(op, ReshapeOp.make(op.x, shape=list(shape_of(op.output))))
        return
    inner = defined_by(op.x, TransposeOp)
    if inner is not None:
        first: tuple[int, ...] = inner.params()["dims"]
        composed = [first[axis] for axis in dims]
        rewrite.replace(op, TransposeOp.make(inner.x, dims=composed), also=[inner])

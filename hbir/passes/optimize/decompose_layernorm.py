"""Bring layer norms and root-mean-square norms to the last axis, with constants as parameters."""

from __future__ import annotations

from math import prod

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.elementwise import AddOp, MulOp
from hbir.dialects.hbir.layernorm import LayernormOp, RmsNormOp
from hbir.dialects.hbir.move import ReshapeOp, TransposeOp
from hbir.ir.op import TensorOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import shape_of
from hbir.passes.graph import derive_origin, is_constant
from hbir.passes.permutation import identity, inverse


class DecomposeLayernormPass(ModulePass):
    """Norms over other or several axes get moves around them; computed parameters become ops.

    What remains, a norm over the last axis, the BPU computes in one instruction from exact sums.
    """

    name = "decompose-layernorm"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        patterns = (split_parameters, move_axes)
        apply_patterns(ctx, op, {LayernormOp: patterns, RmsNormOp: patterns})


def split_parameters(op: LayernormOp | RmsNormOp, rewrite: Rewrite) -> None:
    """A computed weight or bias: norm, then mul, then add."""
    if all(map(is_constant, op.affine)):
        return
    shape, params = shape_of(op.x), op.params()
    axes = {axis % len(shape) for axis in params["dims"]}
    spread = [size if axis in axes else 1 for axis, size in enumerate(shape)]
    new: TensorOp = type(op).make(op.x, dims=params["dims"], eps=params["eps"])
    for kind, parameter in zip((MulOp, AddOp), op.affine, strict=False):
        before = _step(new, op, "normal" if kind is MulOp else "scaled", rewrite)
        full = _reshaped(parameter, spread, op, rewrite)
        new = kind.make(before, full)
    rewrite.replace(op, new)


def move_axes(op: LayernormOp | RmsNormOp, rewrite: Rewrite) -> None:
    """Transpose the axes of the norm to the end, and make one of several."""
    shape, params = shape_of(op.x), op.params()
    rank = len(shape)
    dims: tuple[int, ...] = params["dims"]
    axes = sorted({axis % rank for axis in dims})
    if axes == [rank - 1]:
        return
    order = [axis for axis in range(rank) if axis not in axes] + axes
    rest, row = order[: rank - len(axes)], prod(shape[axis] for axis in axes)
    value = op.x
    if order != list(identity(rank)):
        value = _step(TransposeOp.make(value, dims=order), op, "transposed", rewrite)
    moved = shape_of(value)
    value = _reshaped(value, [*(shape[axis] for axis in rest), row], op, rewrite)
    affine = [_reshaped(parameter, [row], op, rewrite) for parameter in op.affine]
    value = _step(type(op).make(value, *affine, eps=params["eps"]), op, "rows", rewrite)
    value = _reshaped(value, moved, op, rewrite)
    if order != list(identity(rank)):
        rewrite.replace(op, TransposeOp.make(value, dims=inverse(order)))
    else:
        rewrite.replace(op, value)


def _step(new: TensorOp, op: TensorOp, suffix: str, rewrite: Rewrite) -> SSAValue:
    derive_origin(new, op, suffix)
    return rewrite.insert(new, before=op).output


def _reshaped(
    value: SSAValue, shape: list[int] | tuple[int, ...], op: TensorOp, rewrite: Rewrite
) -> SSAValue:
    """`value` in another shape: a constant right away, anything else by an op."""
    if shape_of(value) == tuple(shape):
        return value
    array = rewrite.constant_value(value)
    if array is not None:
        return rewrite.constant(array.reshape(shape), before=op)
    return _step(ReshapeOp.make(value, shape=list(shape)), op, "view", rewrite)

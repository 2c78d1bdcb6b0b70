"""Find group norms that exporters write as an instance norm between reshapes.

ONNX has a GroupNormalization only since opset 18, and PyTorch's exporters don't use it: they
reshape (N, C, ...) to (N, groups, positions), normalise each row, reshape back, then multiply and
add a constant per channel. As one op, it is the same network whichever way it comes in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.elementwise import AddOp, MulOp
from hbir.dialects.hbir.layernorm import GroupnormOp
from hbir.dialects.hbir.move import ReshapeOp, TransposeOp
from hbir.ir.origin import origin_of_op
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import Array, shape_of
from hbir.passes.graph import defined_by, derive_origin, per_channel
from hbir.passes.permutation import Dims, identity, inverse

ROWS_LAST = (0, 2, 1)
"""(N, groups, positions) to the channel-last form of an instance norm, and back."""


class RecognizeGroupnormPass(ModulePass):
    """reshape, instance norm of groups, reshape back, and constants per channel: one groupnorm."""

    name = "recognize-groupnorm"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {ReshapeOp: regroup, MulOp: absorb, AddOp: absorb})


def regroup(op: ReshapeOp, rewrite: Rewrite) -> None:
    """The reshape back from an instance norm of (N, groups, positions) to (N, C, ...)."""
    value = _behind_reshapes(op.x)
    turned = defined_by(value, TransposeOp)
    if turned is not None and turned.params()["dims"] == ROWS_LAST:
        value = turned.x
    norm = defined_by(value, GroupnormOp)
    if norm is None or not norm.output.has_one_use():
        return
    rows, shape = shape_of(norm.output), shape_of(op.output)
    groups = rows[-1]
    if len(rows) != 3 or norm.params()["group_num"] != groups or len(shape) < 3:
        return
    is_turned = groups == 1 or rows[1] == 1 or turned is not None
    source = _before_rows(norm.x)
    if not is_turned or source is None or shape_of(source) != shape:
        return
    if shape[0] != rows[0] or shape[1] % groups != 0:
        return
    size = shape[1] // groups
    affine: list[SSAValue] = []
    for parameter in norm.affine:
        array = rewrite.constant_value(parameter)
        if array is None:
            return
        affine.append(rewrite.constant(np.repeat(array, size), before=op))
    last = (0, *range(2, len(shape)), 1)
    x = TransposeOp.make(source, dims=last)
    derive_origin(x, norm, "x")
    moved = rewrite.insert(x, before=op).output
    new = GroupnormOp.make(moved, *affine, group_num=groups, eps=norm.params()["eps"])
    back = inverse(last)
    origin = origin_of_op(op)
    rewrite.inherit(new, op, [norm], origin=None if origin is None else origin.permuted(last))
    normal = rewrite.insert(new, before=op).output
    rewrite.replace(op, TransposeOp.make(normal, dims=back))


def _behind_reshapes(value: SSAValue) -> SSAValue:
    """What one-use reshapes lead to."""
    reshape = defined_by(value, ReshapeOp)
    while reshape is not None and value.has_one_use():
        value = reshape.x
        reshape = defined_by(value, ReshapeOp)
    return value


def _before_rows(value: SSAValue) -> SSAValue | None:
    """The tensor of which (N, positions, groups) are the rows; None where it isn't one."""
    _, positions, groups = shape_of(value)
    turned = defined_by(value, TransposeOp)
    if turned is not None and turned.params()["dims"] == ROWS_LAST:
        value = turned.x
    elif groups != 1 and positions != 1:
        return None
    reshape = defined_by(value, ReshapeOp)
    while reshape is not None:
        value = reshape.x
        reshape = defined_by(value, ReshapeOp)
    return value


def absorb(op: MulOp | AddOp, rewrite: Rewrite) -> None:
    """groupnorm(x) · c or groupnorm(x) + c, c varying along the channels alone.

    The norm's channel-last result may be transposed before.
    """
    for value, other in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        turned = defined_by(value, TransposeOp)
        norm = defined_by(value if turned is None else turned.x, GroupnormOp)
        constant = rewrite.constant_value(other)
        shape = shape_of(op.output)
        if norm is None or constant is None or shape_of(value) != shape:
            continue
        if not value.has_one_use() or not norm.output.has_one_use():
            continue
        dims = identity(len(shape)) if turned is None else turned.params()["dims"]
        factor = _along_channels(constant, shape, dims)
        parts = _parameters(norm, rewrite)
        if factor is None or parts is None:
            continue
        weight, bias = parts
        if isinstance(op, MulOp):
            weight, bias = weight * factor, bias * factor
        else:
            bias = bias + factor
        _again(op, norm, (weight, bias), dims, rewrite)
        return


def _along_channels(constant: Array, shape: tuple[int, ...], dims: Dims) -> Array | None:
    """(C,) of a constant beside a channel-last tensor that was transposed by `dims` to `shape`."""
    if constant.ndim > len(shape):
        return None
    full = constant.reshape((1,) * (len(shape) - constant.ndim) + constant.shape)
    back = inverse(dims)
    return per_channel(full.transpose(back), tuple(shape[axis] for axis in back))


def _parameters(norm: GroupnormOp, rewrite: Rewrite) -> tuple[Array, Array] | None:
    """Weight and bias, where they are constants."""
    channels = shape_of(norm.output)[-1]
    known = [rewrite.constant_value(parameter) for parameter in norm.affine]
    found = [array for array in known if array is not None]
    if len(found) < len(known):
        return None
    defaults = [np.ones(channels, np.float32), np.zeros(channels, np.float32)]
    weight, bias = [*found, *defaults[len(found) :]]
    return weight, bias


def _again(
    op: MulOp | AddOp,
    norm: GroupnormOp,
    parts: tuple[Array, Array],
    dims: Dims,
    rewrite: Rewrite,
) -> None:
    """Put the norm with other parameters, transposed by `dims`, in the place of `op`."""
    affine = [rewrite.constant(part.astype(np.float32), before=op) for part in parts]
    properties: dict[str, Any] = dict(norm.properties)
    new = GroupnormOp.make(norm.x, *affine, **properties)
    if dims == identity(len(dims)):
        rewrite.replace(op, new, also=[norm])
        return
    origin = origin_of_op(op)
    rewrite.inherit(
        new, op, [norm], origin=None if origin is None else origin.permuted(inverse(dims))
    )
    normal = rewrite.insert(new, before=op).output
    rewrite.replace(op, TransposeOp.make(normal, dims=dims))

"""Remove ops that give back what they get, and merge ops that repeat the one before them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.checks import broadcast_shape
from hbir.dialects.hbir.activation import ClipOp, ReluOp
from hbir.dialects.hbir.cast import CastTypeOp, FakeCastOp
from hbir.dialects.hbir.comparison import ComparisonOp, LogicOp, WhereOp
from hbir.dialects.hbir.elementwise import AddOp, BinaryOp, DivOp, MulOp, SubOp
from hbir.dialects.hbir.move import ConcatOp, PadOp, ReshapeOp, SliceOp, TileOp, TransposeOp
from hbir.dialects.hbir.pool import AvgPoolOp, MaxPoolOp
from hbir.dialects.hbir.reduce import ReduceMaxOp, ReduceMeanOp, ReduceMinOp, ReduceOp, ReduceSumOp
from hbir.dialects.hbir.resize import Resize2dOp
from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.ir.op import TensorOp
from hbir.ir.rewriter import Pattern, Rewrite, apply_patterns
from hbir.ir.types import shape_of
from hbir.passes.fake_quant import FakeQuantOp, fake_quant_at
from hbir.passes.graph import defined_by, splat


class EliminateIdentitiesPass(ModulePass):
    """Remove no-op moves, arithmetic with neutral constants, and repeated activations."""

    name = "eliminate-identities"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        patterns: dict[type[Operation], Pattern | Sequence[Pattern]] = {
            ReshapeOp: (merge_reshapes, drop_kept_axes, remove_if_same_type),
            SliceOp: remove_if_same_type,
            PadOp: remove_if_same_type,
            CastTypeOp: remove_if_same_type,
            TransposeOp: remove_transpose,
            TileOp: (remove_if_same_type, broadcast_instead),
            ConcatOp: remove_concat_of_one,
            AddOp: remove_neutral,
            SubOp: remove_neutral,
            MulOp: remove_neutral,
            DivOp: remove_neutral,
            MaxPoolOp: remove_pool,
            AvgPoolOp: remove_pool,
            **dict.fromkeys(
                (ReduceMeanOp, ReduceSumOp, ReduceMaxOp, ReduceMinOp), reduction_of_one
            ),
            Resize2dOp: remove_resize,
            ReluOp: remove_relu,
            ClipOp: merge_clip,
            ConstFakeQuantOp: remove_repeated,
            FakeCastOp: remove_repeated,
        }
        apply_patterns(ctx, op, patterns)


def remove_repeated(op: FakeQuantOp, rewrite: Rewrite) -> None:
    """A fake-quant like the one before it, once the moves between are gone, changes nothing."""
    inner = fake_quant_at(op.x)
    if inner is not None and inner.name == op.name and inner.properties == op.properties:
        rewrite.replace(op, op.x)


def remove_if_same_type(op: TensorOp, rewrite: Rewrite) -> None:
    """A reshape, slice, pad or cast whose result has its operand's type changes nothing."""
    if op.operands[0].type == op.output.type:
        rewrite.replace(op, op.operands[0])


def merge_reshapes(op: ReshapeOp, rewrite: Rewrite) -> None:
    """A reshape of a reshape reads the first one's operand."""
    inner = defined_by(op.x, ReshapeOp)
    if inner is not None:
        rewrite.replace(op, ReshapeOp.make(inner.x, shape=op.shape), also=[inner])


def drop_kept_axes(op: ReshapeOp, rewrite: Rewrite) -> None:
    """A reshape that takes away the axes that a reduction has kept: it doesn't keep them."""
    inner = defined_by(op.x, ReduceOp)
    if inner is None or not inner.params()["keep_dim"] or not op.x.has_one_use():
        return
    new = type(inner).make(inner.operands[0], dims=inner.params()["dims"], keep_dim=False)
    if shape_of(new.output) == shape_of(op.output):
        rewrite.replace(op, new, also=[inner])


def remove_transpose(op: TransposeOp, rewrite: Rewrite) -> None:
    """The identity permutation; one that moves only extents of 1 is a reshape."""
    dims = op.params()["dims"]
    shape = shape_of(op.x)
    if list(dims) == sorted(dims):
        rewrite.replace(op, op.x)
        return
    moved: list[int] = [axis for axis in dims if shape[axis] != 1]
    if moved == sorted(moved):
        rewrite.replace(op, ReshapeOp.make(op.x, shape=shape_of(op.output)))


def remove_concat_of_one(op: ConcatOp, rewrite: Rewrite) -> None:
    """A concatenation of a single tensor."""
    if len(op.operands) == 1:
        rewrite.replace(op, op.operands[0])


def remove_neutral(op: AddOp | SubOp | MulOp | DivOp, rewrite: Rewrite) -> None:
    """x + 0, x − 0, x · 1, x / 1, where the constant doesn't enlarge x by broadcasting."""
    neutral = 1.0 if isinstance(op, MulOp | DivOp) else 0.0
    sides: list[tuple[SSAValue, SSAValue]] = [(op.lhs, op.rhs)]
    if isinstance(op, AddOp | MulOp):
        sides.append((op.rhs, op.lhs))
    for value, constant in sides:
        number = splat(rewrite.constant_value(constant))
        if number == neutral and value.type == op.output.type:
            rewrite.replace(op, value)
            return


def remove_pool(op: MaxPoolOp | AvgPoolOp, rewrite: Rewrite) -> None:
    """A pool whose windows are single elements, one for each."""
    params = op.params()
    if tuple(params["kernel"]) == (1, 1) and op.x.type == op.output.type and not any(params["pad"]):
        rewrite.replace(op, op.x)


def broadcast_instead(op: TileOp, rewrite: Rewrite) -> None:
    """Element-wise ops repeat an extent of 1 themselves, where their result stays as large."""
    shape, wanted = shape_of(op.x), shape_of(op.output)
    if any(size not in (1, new) for size, new in zip(shape, wanted, strict=True)):
        return
    for use in list(op.output.uses):
        user = use.operation
        if not isinstance(user, BinaryOp | ComparisonOp | LogicOp | WhereOp):
            continue
        shapes = [shape_of(v) if i != use.index else shape for i, v in enumerate(user.operands)]
        if broadcast_shape(shapes) == shape_of(user.results[0]):
            user.operands[use.index] = op.x
            rewrite.changed = True
    if op.output.first_use is None:
        rewrite.erase(op)


def reduction_of_one(
    op: ReduceMeanOp | ReduceSumOp | ReduceMaxOp | ReduceMinOp, rewrite: Rewrite
) -> None:
    """A reduction over extents of 1 only drops (or keeps) them."""
    shape = shape_of(op.x)
    dims: tuple[int, ...] = op.params()["dims"]
    if all(shape[axis] == 1 for axis in dims):
        rewrite.replace(op, ReshapeOp.make(op.x, shape=shape_of(op.output)))


def remove_resize(op: Resize2dOp, rewrite: Rewrite) -> None:
    """A resize to the same size that reads every element where it writes it."""
    params = op.params()
    in_place = tuple(params["step"]) == (1.0, 1.0) and tuple(params["initial_offset"]) == (0, 0)
    if in_place and op.x.type == op.output.type:
        rewrite.replace(op, op.x)


def remove_relu(op: ReluOp, rewrite: Rewrite) -> None:
    """A relu of what is never negative; a relu of a clip moves into the clip."""
    if defined_by(op.x, ReluOp) is not None:
        rewrite.replace(op, op.x)
        return
    clip = defined_by(op.x, ClipOp)
    if clip is None:
        return
    low, high = clip.params()["min"], clip.params()["max"]
    if low >= 0:
        rewrite.replace(op, op.x)
    elif high >= 0:
        rewrite.replace(op, ClipOp.make(clip.x, min=0.0, max=high), also=[clip])


def merge_clip(op: ClipOp, rewrite: Rewrite) -> None:
    """A clip without bounds; a clip of a clip or of a relu, where the intervals overlap."""
    low, high = op.params()["min"], op.params()["max"]
    largest = float(np.finfo(np.float32).max)
    if low <= -largest and high >= largest:
        rewrite.replace(op, op.x)
        return
    inner = defined_by(op.x, ClipOp) or defined_by(op.x, ReluOp)
    if inner is None:
        return
    inner_low, inner_high = 0.0, math.inf
    if isinstance(inner, ClipOp):
        inner_low, inner_high = inner.params()["min"], inner.params()["max"]
    low, high = max(low, inner_low), min(high, inner_high)
    if low <= high:
        rewrite.replace(op, ClipOp.make(inner.x, min=low, max=high), also=[inner])

"""Scatters into a constant range of one axis as slices and a concat.

PyTorch's assignment to a slice (`x[..., :2] = y`) is exported as a scatter of indices that name
each element of the slice.
"""

from __future__ import annotations

import math

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.move import ConcatOp, ReshapeOp, SliceOp
from hbir.dialects.hbir.scatter import ScatterNdOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import Array, shape_of
from hbir.kernels.float.index import flat_positions
from hbir.passes.graph import derive_origin


class ScatterToConcatPass(ModulePass):
    """A scatter_nd that replaces a whole range of one axis, in order: slices and a concat."""

    name = "scatter-to-concat"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {ScatterNdOp: replace_range})


def replace_range(op: ScatterNdOp, rewrite: Rewrite) -> None:
    """x before the range, the updates, x after the range."""
    index = rewrite.constant_value(op.index)
    if index is None or op.params()["scatter_reduce_mode"] != "none" or index.size == 0:
        return
    shape = shape_of(op.x)
    box = find_box(index, shape)
    if box is None:
        return
    cut = [axis for axis, (low, high) in enumerate(box) if high - low < shape[axis]]
    if len(cut) > 1:
        return
    inner = [*(high - low for low, high in box), *shape[len(box) :]]
    updates = ReshapeOp.make(op.updates, shape=inner)
    if not cut:
        rewrite.replace(op, updates)
        return
    derive_origin(rewrite.insert(updates, before=op), op, "updates")
    low, high = box[cut[0]]
    parts = [
        _sliced(op, rewrite, cut[0], 0, low, "before"),
        updates.output,
        _sliced(op, rewrite, cut[0], high, shape[cut[0]], "after"),
    ]
    rewrite.replace(op, ConcatOp.make(*(p for p in parts if p is not None), dim=cut[0]))


def find_box(index: Array, shape: tuple[int, ...]) -> list[tuple[int, int]] | None:
    """The range along each indexed axis whose elements `index` (places…, k) names in row-major
    order; None when it names others, or in another order."""
    extents = shape[: index.shape[-1]]
    positions = flat_positions(index, extents).reshape(-1)
    axes = [np.asarray(axis) for axis in np.unravel_index(positions, extents)]
    box = [(int(axis.min()), int(axis.max()) + 1) for axis in axes]
    if math.prod(high - low for low, high in box) != positions.size:
        return None
    grid = np.arange(math.prod(extents)).reshape(extents)
    wanted = grid[tuple(slice(low, high) for low, high in box)].reshape(-1)
    return box if np.array_equal(positions, wanted) else None


def _sliced(
    op: ScatterNdOp, rewrite: Rewrite, axis: int, low: int, high: int, name: str
) -> SSAValue | None:
    if low == high:
        return None
    shape = shape_of(op.x)
    begin, end = [0] * len(shape), list(shape)
    begin[axis], end[axis] = low, high
    part = rewrite.insert(SliceOp.make(op.x, begin=begin, end=end), before=op)
    derive_origin(part, op, name)
    return part.output

"""Constant indices as slices: they then move like all other data, and scales pass through."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.index import IndexOp
from hbir.dialects.hbir.move import ConcatOp, ReshapeOp, SliceOp
from hbir.ir.op import TensorOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import shape_of
from hbir.kernels.indices import resolved
from hbir.passes.graph import derive_origin

MAX_SLICES = 8
"""More slices than that cost more than one gather of all indices."""


class IndexToSlicePass(ModulePass):
    """An index whose indices are constant and make few runs becomes slices and a concat."""

    name = "index-to-slice"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {IndexOp: slice_runs})


def slice_runs(op: IndexOp, rewrite: Rewrite) -> None:
    """One slice per run of evenly spaced ascending indices, joined, in the result's shape."""
    index = rewrite.constant_value(op.index)
    if index is None or index.size == 0 or rewrite.constant_value(op.x) is not None:
        return
    shape = shape_of(op.x)
    axis: int = op.params()["dim"] % len(shape)
    positions: list[int] = resolved(index, shape[axis]).reshape(-1).tolist()
    runs = find_runs(positions)
    if len(runs) > MAX_SLICES:
        return
    parts = [_sliced(op, rewrite, axis, run, f"slice{n}") for n, run in enumerate(runs)]
    value = parts[0]
    if len(parts) > 1:
        value = _add(op, rewrite, ConcatOp.make(*parts, dim=axis), "slices")
    rewrite.replace(op, ReshapeOp.make(value, shape=list(shape_of(op.output))))


def find_runs(positions: Sequence[int]) -> list[range]:
    """The positions as ranges with steps ≥ 1, in their order, each as long as possible.

    >>> find_runs([0, 2, 4, 1, 0])
    [range(0, 5, 2), range(1, 2), range(0, 1)]
    """
    runs: list[range] = []
    start = 0
    while start < len(positions):
        stop = start + 1
        step = positions[stop] - positions[start] if stop < len(positions) else 0
        while step > 0 and stop < len(positions) and positions[stop] - positions[stop - 1] == step:
            stop += 1
        runs.append(range(positions[start], positions[stop - 1] + 1, max(step, 1)))
        start = stop
    return runs


def _sliced(op: IndexOp, rewrite: Rewrite, axis: int, run: range, name: str) -> SSAValue:
    shape = shape_of(op.x)
    begin, end, step = [0] * len(shape), list(shape), [1] * len(shape)
    begin[axis], end[axis], step[axis] = run.start, run.stop, run.step
    return _add(op, rewrite, SliceOp.make(op.x, begin=begin, end=end, step=step), name)


def _add(op: IndexOp, rewrite: Rewrite, new: TensorOp, name: str) -> SSAValue:
    rewrite.insert(new, before=op)
    derive_origin(new, op, name)
    return new.output

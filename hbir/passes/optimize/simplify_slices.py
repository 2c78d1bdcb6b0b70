"""Slices that read what another slice or a concatenation only moved.

The results of unrolled layers are concatenations of their steps, of which a network often reads
the last; and exporters split what they have just split.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass

from hbir.dialects.hbir.move import ConcatOp, SliceOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import shape_of
from hbir.passes.graph import defined_by


class SimplifySlicesPass(ModulePass):
    """A slice of a slice reads the first one's operand; of a concatenation, the one it lies in."""

    name = "simplify-slices"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        ends: dict[Operation, list[int]] = {}

        def slice_of_concat(op: SliceOp, rewrite: Rewrite) -> None:
            read_operand(op, rewrite, ends)

        apply_patterns(ctx, op, {SliceOp: (merge_slices, slice_of_concat)})


def merge_slices(op: SliceOp, rewrite: Rewrite) -> None:
    """Position p of the outer slice is begin + p · step of the inner one."""
    inner = defined_by(op.x, SliceOp)
    if inner is None:
        return
    begin, end, step = _bounds(op)
    first, _, stride = _bounds(inner)
    new = SliceOp.make(
        inner.x,
        begin=[f + b * s for f, b, s in zip(first, begin, stride, strict=True)],
        # one beyond the last element that is read
        end=[
            f + (b + (e - 1 - b) // t * t) * s + 1
            for f, b, e, t, s in zip(first, begin, end, step, stride, strict=True)
        ],
        step=[t * s for t, s in zip(step, stride, strict=True)],
    )
    rewrite.replace(op, new, also=[inner])


def read_operand(op: SliceOp, rewrite: Rewrite, ends: dict[Operation, list[int]]) -> None:
    """The slice of the one operand of a concatenation that it lies in; `ends` remembers where the
    operands of each concatenation end, so that many slices of it cost no more than one."""
    concat = defined_by(op.x, ConcatOp)
    if concat is None:
        return
    axis: int = concat.params()["dim"] % len(shape_of(concat.output))
    if concat not in ends:
        ends[concat] = list(accumulate(shape_of(x)[axis] for x in concat.operands))
    begin, end, step = _bounds(op)
    number = bisect_right(ends[concat], begin[axis])
    last = begin[axis] + (end[axis] - 1 - begin[axis]) // step[axis] * step[axis]
    if last >= ends[concat][number]:
        return
    value = concat.operands[number]
    before = ends[concat][number] - shape_of(value)[axis]
    begin[axis], end[axis] = begin[axis] - before, last + 1 - before
    if not any(begin) and tuple(end) == shape_of(value) and set(step) == {1}:
        rewrite.replace(op, value)
    else:
        rewrite.replace(op, SliceOp.make(value, begin=begin, end=end, step=step))


def _bounds(op: SliceOp) -> tuple[list[int], list[int], list[int]]:
    """begin, end and step of each axis."""
    params = op.params()
    begin, end = list(params["begin"]), list(params["end"])
    return begin, end, list(params.get("step") or [1] * len(begin))

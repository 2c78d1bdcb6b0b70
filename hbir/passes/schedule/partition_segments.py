"""Cut a function into BPU and CPU segments, as few as the data flow allows."""

from __future__ import annotations

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, OpResult
from xdsl.passes import ModulePass

from hbir.dialects.layers import (
    CONSTANT,
    CPU_CALL,
    SEGMENT,
    VIEW,
    body_ops,
    reorder,
    segment_of,
    set_segment,
)
from hbir.ir.function import body_of, functions_of


class PartitionSegmentsPass(ModulePass):
    """Give every op a `segment`, even on the BPU and odd on the CPU, and order ops by it.

    An op runs in the first segment of its kind in which all its operands are ready, so a segment
    holds all it can and no two segments could be one. Within a segment the order stays. Reshapes,
    which cost nothing, stay with what they read.
    """

    name = "partition-segments"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        for function in functions_of(op):
            _partition(function)


def _partition(function: FuncOp) -> None:
    ordered = True
    latest = 0
    for body_op in body_ops(function):
        segment = _segment(body_op.op)
        set_segment(body_op.op, segment)
        ordered = ordered and segment >= latest
        latest = max(latest, segment)
    if ordered:
        return
    block = body_of(function)
    ops = [op for op in block.ops if op is not block.last_op]
    # A constant has no segment: first, so that it stands above its readers.
    reorder(block, sorted(ops, key=lambda op: -1 if op.name == CONSTANT else segment_of(op)))


def _segment(op: Operation) -> int:
    ready = 0
    for value in op.operands:
        if isinstance(value, OpResult) and SEGMENT in value.op.attributes:
            ready = max(ready, segment_of(value.op))
    if op.name == VIEW:
        return ready
    on_cpu = op.name == CPU_CALL
    return ready if ready % 2 == on_cpu else ready + 1

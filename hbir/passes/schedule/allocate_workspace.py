"""Place every tensor between ops in DDR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, OpResult, SSAValue
from xdsl.passes import ModulePass

from hbir.backend.memory import LiveRange, allocate
from hbir.dialects.bpu.schedule import SCHEDULE, AllocAttr
from hbir.dialects.layers import (
    CONSTANT,
    VIEW,
    body_ops,
    call_of,
    is_layer,
    is_on_chip,
    schedule_of,
    segment_of,
    set_alloc,
    view_source,
)
from hbir.ir.function import body_of, functions_of, return_of
from hbir.ir.types import byte_size
from hbir.passes.scheduling import machine_of


@dataclass(frozen=True)
class AllocateWorkspacePass(ModulePass):
    """Write every op's `alloc` that has none: where its results lie in DDR. The module is then
    `scheduled`.

    Tensors alive at different times share workspace. A tensor that the function returns lies in
    its output's buffer; a reshape lies where its operand lies, and has no `alloc` of its own.
    l2_bytes: how much of the shared on-chip memory tensors of one function call may take instead.
    """

    name = "allocate-workspace"

    march: str | None = None
    l2_bytes: int = 0

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        alignment = machine_of(op, self.march).ddr.min_tensor_bytes
        for function in functions_of(op):
            _allocate(function, alignment, self.l2_bytes)
        op.attributes["hbir.level"] = StringAttr("scheduled")


def output_roots(function: FuncOp) -> dict[SSAValue, int]:
    """Values computed into an output's buffer → the output's position.

    The first output that returns a value (or a reshape of it) gets it; further ones, and outputs
    that return an input or a constant, are copies.
    """
    roots: dict[SSAValue, int] = {}
    for position, value in enumerate(return_of(function).operands):
        root = view_source(value)
        if isinstance(root, OpResult) and root.op.name != CONSTANT:
            roots.setdefault(root, position)
    return roots


def lifetimes(function: FuncOp) -> dict[SSAValue, tuple[int, int]]:
    """Op result → the positions in the body between which it is alive, both included.

    Layers of a group take turns, so what one of them makes or reads is alive all through it.
    """
    spans = group_spans(function)
    alive: dict[SSAValue, tuple[int, int]] = {}
    for position, op in enumerate(body_of(function).ops):
        first, last = spans.get(position, (position, position))
        for value in op.operands:
            root = view_source(value)
            if root in alive:
                alive[root] = (alive[root][0], max(alive[root][1], last))
        for result in op.results:
            alive[result] = (first, last)
    return alive


def group_spans(function: FuncOp) -> dict[int, tuple[int, int]]:
    """Position of an op → those of the first and the last op of its group."""
    groups: dict[int, list[int]] = {}
    for body_op in body_ops(function):
        if SCHEDULE in body_op.op.attributes:
            group = schedule_of(body_op.op).group.data
            groups.setdefault(group, []).append(body_op.position)
    return {p: (group[0], group[-1]) for group in groups.values() for p in group}


def _in_l2(
    values: Sequence[SSAValue],
    alive: dict[SSAValue, tuple[int, int]],
    alignment: int,
    l2_bytes: int,
) -> dict[SSAValue, int]:
    """Value → its offset in L2, for as many as fit: those first that are small and short-lived.

    What another function call or the CPU reads can't lie there.
    """
    if not l2_bytes:
        return {}
    local = [v for v in values if _is_local(v)]

    def weight(value: SSAValue) -> int:
        first, last = alive[value]
        return byte_size(value) * (last - first + 1)

    local.sort(key=weight)
    low, high = 0, len(local)
    fitting: dict[SSAValue, int] = {}
    while low < high:
        middle = (low + high + 1) // 2
        chosen = local[:middle]
        ranges = [LiveRange(byte_size(v), *alive[v]) for v in chosen]
        allocation = allocate(ranges, alignment, l2_bytes)
        if allocation.total_bytes <= l2_bytes:
            low, fitting = middle, dict(zip(chosen, allocation.offsets, strict=True))
        else:
            high = middle - 1
    return fitting


def _is_local(value: SSAValue) -> bool:
    """Whether only layers of its own function call read a value."""
    op = value.owner
    if not isinstance(op, Operation) or not is_layer(op):
        return False
    mine = (segment_of(op), call_of(op))
    for use in value.uses:
        reader = use.operation
        if reader.name == VIEW:
            if not all(_reads_in(r, mine) for r in _view_readers(reader)):
                return False
        elif not _reads_in(reader, mine):
            return False
    return True


def _reads_in(reader: Operation, call: tuple[int, int]) -> bool:
    return is_layer(reader) and (segment_of(reader), call_of(reader)) == call


def _view_readers(view: Operation) -> list[Operation]:
    readers: list[Operation] = []
    for use in view.results[0].uses:
        reader = use.operation
        readers += _view_readers(reader) if reader.name == VIEW else [reader]
    return readers


def _allocate(function: FuncOp, alignment: int, l2_bytes: int) -> None:
    outputs = output_roots(function)
    alive = lifetimes(function)
    computing = [
        body_op
        for body_op in body_ops(function)
        if body_op.op.name != VIEW and not is_on_chip(body_op.op.results[0])
    ]
    values: list[SSAValue] = [r for b in computing for r in b.op.results if r not in outputs]
    in_l2 = _in_l2(values, alive, alignment, l2_bytes)
    values = [value for value in values if value not in in_l2]
    ranges = [LiveRange(byte_size(value), *alive[value]) for value in values]
    offsets = dict(zip(values, allocate(ranges, alignment).offsets, strict=True))
    for body_op in computing:
        set_alloc(body_op.op, [_alloc(result, offsets, in_l2) for result in body_op.op.results])


def _alloc(result: SSAValue, offsets: dict[SSAValue, int], in_l2: dict[SSAValue, int]) -> AllocAttr:
    size = max(1, byte_size(result))
    if result in in_l2:
        return AllocAttr.of("l2", in_l2[result], size)
    if result in offsets:
        return AllocAttr.of("workspace", offsets[result], size)
    return AllocAttr.of("output", 0, size)

"""Place every tensor between ops in DDR."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import OpResult, SSAValue
from xdsl.passes import ModulePass

from hbir.backend.memory import LiveRange, allocate
from hbir.dialects.bpu.schedule import SCHEDULE, AllocAttr
from hbir.dialects.layers import (
    CONSTANT,
    VIEW,
    body_ops,
    is_on_chip,
    schedule_of,
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
    """

    name = "allocate-workspace"

    march: str | None = None

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        alignment = machine_of(op, self.march).ddr.min_tensor_bytes
        for function in functions_of(op):
            _allocate(function, alignment)
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


def _allocate(function: FuncOp, alignment: int) -> None:
    outputs = output_roots(function)
    alive = lifetimes(function)
    computing = [
        body_op
        for body_op in body_ops(function)
        if body_op.op.name != VIEW and not is_on_chip(body_op.op.results[0])
    ]
    values = [r for b in computing for r in b.op.results if r not in outputs]
    ranges = [LiveRange(byte_size(value), *alive[value]) for value in values]
    offsets = dict(zip(values, allocate(ranges, alignment).offsets, strict=True))
    for body_op in computing:
        set_alloc(body_op.op, [_alloc(result, offsets) for result in body_op.op.results])


def _alloc(result: SSAValue, offsets: dict[SSAValue, int]) -> AllocAttr:
    size = max(1, byte_size(result))
    if result in offsets:
        return AllocAttr.of("workspace", offsets[result], size)
    return AllocAttr.of("output", 0, size)

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
from hbir.dialects.bpu.schedule import AllocAttr
from hbir.dialects.layers import CONSTANT, VIEW, body_ops, set_alloc, view_source
from hbir.ir.function import body_of, functions_of, return_of
from hbir.ir.types import byte_size
from hbir.passes.scheduling import machine_of


@dataclass(frozen=True)
class AllocateWorkspacePass(ModulePass):
    """Write every op's `alloc`: where its results lie in DDR. The module is then `scheduled`.

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


def last_uses(function: FuncOp) -> dict[SSAValue, int]:
    """Value → position of the last op that reads it or a reshape of it."""
    last: dict[SSAValue, int] = {}
    for position, op in enumerate(body_of(function).ops):
        for value in op.operands:
            last[view_source(value)] = position
    return last


def _allocate(function: FuncOp, alignment: int) -> None:
    outputs = output_roots(function)
    last = last_uses(function)
    computing = [body_op for body_op in body_ops(function) if body_op.op.name != VIEW]
    values: list[SSAValue] = []
    ranges: list[LiveRange] = []
    for body_op in computing:
        for result in body_op.op.results:
            if result in outputs:
                continue
            values.append(result)
            until = last.get(result, body_op.position)
            ranges.append(LiveRange(byte_size(result), body_op.position, until))
    offsets = dict(zip(values, allocate(ranges, alignment).offsets, strict=True))
    for body_op in computing:
        set_alloc(body_op.op, [_alloc(result, offsets) for result in body_op.op.results])


def _alloc(result: SSAValue, offsets: dict[SSAValue, int]) -> AllocAttr:
    size = max(1, byte_size(result))
    if result in offsets:
        return AllocAttr.of("workspace", offsets[result], size)
    return AllocAttr.of("output", 0, size)

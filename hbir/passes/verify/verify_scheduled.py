"""The invariants of the scheduled level."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from hbir.backend.march import Machine
from hbir.backend.memory import Allocation, LiveRange, overlaps
from hbir.backend.tiling import areas
from hbir.dialects.bpu.schedule import MemorySpace
from hbir.dialects.layers import (
    VIEW,
    BodyOp,
    allocs_of,
    body_ops,
    layer_of,
    onchip_of,
    segment_of,
    tiling_of,
)
from hbir.errors import HbirError
from hbir.ir.function import functions_of
from hbir.ir.types import byte_size
from hbir.ir.verify import VerifyError, describe_op
from hbir.passes.schedule.allocate_workspace import last_uses, output_roots
from hbir.passes.scheduling import machine_of


@dataclass(frozen=True)
class VerifyScheduledPass(ModulePass):
    """Check that every op says when and where it runs, that it fits, and that nothing collides.

    Segments stand in order and on the right device; tiles are legal; on-chip areas have the size
    that the tiles need, lie in L1 and don't overlap; DDR buffers hold their tensors, and tensors
    alive together don't overlap.
    """

    name = "verify-scheduled"

    march: str | None = None

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        machine = machine_of(op, self.march)
        level = op.attributes.get("hbir.level")
        if not isinstance(level, StringAttr) or level.data != "scheduled":
            raise HbirError("the module's hbir.level is not scheduled; run allocate-workspace")
        for function in functions_of(op):
            _verify(function, machine)


def _verify(function: FuncOp, machine: Machine) -> None:
    latest = 0
    for body_op in body_ops(function):
        op = body_op.op
        try:
            segment = segment_of(op)
            _check_segment(body_op, segment, latest)
            if body_op.is_layer:
                _check_onchip(op, machine)
        except VerifyError:
            raise
        except HbirError as error:
            raise VerifyError(op, _without_op(op, error)) from error
        latest = segment
    _check_workspace(function)


def _without_op(op: Operation, error: HbirError) -> str:
    """The reason alone: the verifier's message names the op itself."""
    return str(error).removeprefix(describe_op(op)).lstrip(": ")


def _check_segment(body_op: BodyOp, segment: int, latest: int) -> None:
    op = body_op.op
    if segment < latest:
        raise VerifyError(op, f"segment {segment} stands after segment {latest}")
    if op.name != VIEW and segment % 2 != int(body_op.is_call):
        device = "CPU" if body_op.is_call else "BPU"
        raise VerifyError(op, f"segment {segment} is not one of the {device}")


def _check_onchip(op: Operation, machine: Machine) -> None:
    layer = layer_of(op)
    tiling = tiling_of(op, layer)
    needed = areas(machine, layer, tiling.tile, tiling.buffers)
    placed = onchip_of(op)
    if len(needed) != len(placed):
        raise VerifyError(op, f"onchip has {len(placed)} areas, its tiles need {len(needed)}")
    for area, alloc in zip(needed, placed, strict=True):
        if alloc.space.data is not MemorySpace.L1 or alloc.bytes.data != area.size_bytes:
            raise VerifyError(
                op, f"onchip has {alloc}, its tiles need {area.size_bytes} bytes of l1"
            )
        if alloc.offset.data % machine.memory.base_align_bytes:
            raise VerifyError(
                op,
                f"onchip offset {alloc.offset.data} must be a multiple of"
                f" {machine.memory.base_align_bytes}",
            )
    spans = sorted((a.offset.data, a.offset.data + a.bytes.data) for a in placed)
    for (_, stop), (start, _) in pairwise(spans):
        if start < stop:
            raise VerifyError(op, f"onchip areas overlap at {start}")
    if spans and spans[-1][1] > machine.memory.l1_bytes:
        raise VerifyError(
            op, f"onchip ends at {spans[-1][1]}, {machine.name} has {machine.memory.l1_bytes} bytes"
        )


def _check_workspace(function: FuncOp) -> None:
    outputs, last = output_roots(function), last_uses(function)
    values: list[tuple[Operation, SSAValue]] = []
    ranges: list[LiveRange] = []
    offsets: list[int] = []
    for body_op in body_ops(function):
        if body_op.op.name == VIEW:
            continue
        try:
            allocs = allocs_of(body_op.op)
        except HbirError as error:
            raise VerifyError(body_op.op, _without_op(body_op.op, error)) from error
        if len(allocs) != len(body_op.op.results):
            raise VerifyError(body_op.op, f"alloc has {len(allocs)} entries, one per result needed")
        for result, alloc in zip(body_op.op.results, allocs, strict=True):
            wanted = MemorySpace.OUTPUT if result in outputs else MemorySpace.WORKSPACE
            if alloc.space.data is not wanted or alloc.bytes.data < byte_size(result):
                raise VerifyError(
                    body_op.op,
                    f"alloc is {alloc}, expected {byte_size(result)} bytes of {wanted.value}",
                )
            if wanted is MemorySpace.OUTPUT:
                continue
            until = last.get(result, body_op.position)
            values.append((body_op.op, result))
            ranges.append(LiveRange(alloc.bytes.data, body_op.position, until))
            offsets.append(alloc.offset.data)
    for first, second in overlaps(ranges, Allocation(tuple(offsets), 0)):
        other = describe_op(values[first][0])
        raise VerifyError(values[second][0], f"alloc overlaps that of {other}, which is alive")

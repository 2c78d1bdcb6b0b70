"""The invariants of the scheduled level."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp, StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, OpResult, SSAValue
from xdsl.passes import ModulePass

from hbir.backend.march import Machine
from hbir.backend.memory import Allocation, LiveRange, overlaps
from hbir.dialects.bpu.schedule import MemorySpace
from hbir.dialects.layers import (
    VIEW,
    BodyOp,
    allocs_of,
    areas_of,
    body_ops,
    onchip_of,
    segment_of,
)
from hbir.dialects.places import places_in
from hbir.errors import HbirError
from hbir.ir.function import functions_of
from hbir.ir.types import byte_size
from hbir.ir.verify import VerifyError, describe_op
from hbir.passes.schedule.allocate_workspace import group_spans, lifetimes, output_roots
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
        except VerifyError:
            raise
        except HbirError as error:
            raise VerifyError(op, _without_op(op, error)) from error
        latest = segment
    _check_onchip(function, machine)
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


def _check_onchip(function: FuncOp, machine: Machine) -> None:
    """Areas and tensors on chip: they have their size, lie in L1, and don't overlap."""
    alive, places = lifetimes(function), places_in(function)
    owners: list[Operation] = []
    ranges: list[LiveRange] = []
    offsets: list[int] = []

    def add(op: Operation, offset: int, size: int, span: tuple[int, int]) -> None:
        if offset % machine.memory.base_align_bytes:
            raise VerifyError(
                op,
                f"onchip offset {offset} must be a multiple of {machine.memory.base_align_bytes}",
            )
        if offset + size > machine.memory.l1_bytes:
            raise VerifyError(
                op,
                f"onchip ends at {offset + size}, {machine.name} has"
                f" {machine.memory.l1_bytes} bytes",
            )
        owners.append(op)
        ranges.append(LiveRange(size, *span))
        offsets.append(offset)

    spans = group_spans(function)
    for body_op in body_ops(function):
        if not body_op.is_layer:
            continue
        op = body_op.op
        try:
            needed = areas_of(op, machine)
            placed = onchip_of(op, needed)
        except HbirError as error:
            raise VerifyError(op, _without_op(op, error)) from error
        for area, buffers in zip(needed, placed, strict=True):
            for offset in buffers:
                add(op, offset, area.bytes_per_buffer, spans[body_op.position])
    life: dict[SSAValue, tuple[int, int]] = {}
    for value, place in places.items():
        first, last = life.get(place.root, alive[value])
        life[place.root] = (min(first, alive[value][0]), max(last, alive[value][1]))
    for root, span in life.items():
        assert isinstance(root, OpResult)  # arguments are in DDR
        alloc = allocs_of(root.op)[0]
        add(root.op, alloc.offset.data, alloc.bytes.data, span)
    for first, second in overlaps(ranges, Allocation(tuple(offsets), 0)):
        other = "its own areas" if owners[first] is owners[second] else describe_op(owners[first])
        raise VerifyError(owners[second], f"onchip areas overlap at {offsets[second]}: {other}")


def _check_workspace(function: FuncOp) -> None:
    outputs, alive = output_roots(function), lifetimes(function)
    placed: dict[MemorySpace, list[tuple[Operation, LiveRange, int]]] = {}
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
            if alloc.on_chip:
                continue
            wanted = MemorySpace.OUTPUT if result in outputs else MemorySpace.WORKSPACE
            if alloc.space.data is MemorySpace.L2 and result not in outputs:
                wanted = MemorySpace.L2
            if alloc.space.data is not wanted or alloc.bytes.data < byte_size(result):
                raise VerifyError(
                    body_op.op,
                    f"alloc is {alloc}, expected {byte_size(result)} bytes of {wanted.value}",
                )
            if wanted is MemorySpace.OUTPUT:
                continue
            live = LiveRange(alloc.bytes.data, *alive[result])
            placed.setdefault(wanted, []).append((body_op.op, live, alloc.offset.data))
    for entries in placed.values():
        ops, ranges, offsets = zip(*entries, strict=True)
        for first, second in overlaps(ranges, Allocation(offsets, 0)):
            other = describe_op(ops[first])
            raise VerifyError(ops[second], f"alloc overlaps that of {other}, which is alive")

"""Keep tensors on chip across layers, and cut layers into groups that take turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Block, Operation, SSAValue
from xdsl.passes import ModulePass

from hbir.backend.layer import TensorSpec
from hbir.backend.march import Machine
from hbir.backend.plan.network import Network, Node, Operand
from hbir.backend.plan.placement import Plan, PlannedLayer
from hbir.backend.plan.planner import plan
from hbir.backend.tiling import choose_tiling, stack_areas
from hbir.dialects.bpu.move import CopyOp, ReshapeOp
from hbir.dialects.bpu.schedule import AllocAttr
from hbir.dialects.layers import (
    VIEW,
    areas_of,
    body_ops,
    call_of,
    clear_schedule,
    is_constant,
    layer_of,
    segment_of,
    set_alloc,
    set_call,
    set_onchip,
    set_schedule,
    set_segment,
    view_source,
)
from hbir.ir.function import functions_of, return_of
from hbir.ir.origin import origin_of
from hbir.ir.types import dtype_of, shape_of
from hbir.module import Module
from hbir.passes.schedule.partition_segments import PartitionSegmentsPass
from hbir.passes.scheduling import machine_of


@dataclass(frozen=True)
class GroupLayersPass(ModulePass):
    """Write every BPU op's `schedule` and `onchip`, and `alloc` where its result is on chip.

    Tensors stay on chip from their producer to their last reader; where they don't fit, those that
    wait long are spilled, and layers take turns by stripes of rows over line buffers. `bpu.copy`
    moves tensors between DDR and the chip. Constants are placed where the memory has been free the
    longest, so that they arrive under the layers before. patient: nothing is spilled for waiting;
    stripes alone make room.
    """

    name = "group-layers"

    march: str | None = None
    patient: bool = False

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        machine = machine_of(op, self.march)
        for function in functions_of(op):
            clear_schedule(function)
            _group(function, machine, self.patient)


def _group(function: FuncOp, machine: Machine, patient: bool) -> None:
    calls: dict[tuple[int, int], list[Operation]] = {}
    for body_op in body_ops(function):
        if body_op.is_layer:
            key = (segment_of(body_op.op), call_of(body_op.op))
            calls.setdefault(key, []).append(body_op.op)
    group = 0
    for ops in calls.values():
        values, network = _network(ops, function)
        planned = plan(machine, network, patient)
        if planned is None:
            group = _separately(machine, ops, group)
        else:
            group = _write(ops, values, planned, group)


def networks_of(module: Module) -> list[Network]:
    """The layers of a quantized module's BPU segments, as the planner sees them."""
    copy = module.clone()
    PartitionSegmentsPass().apply(copy.context, copy.op)
    networks: list[Network] = []
    for function in functions_of(copy.op):
        segments: dict[int, list[Operation]] = {}
        for body_op in body_ops(function):
            if body_op.is_layer:
                segments.setdefault(segment_of(body_op.op), []).append(body_op.op)
        networks += [_network(ops, function)[1] for ops in segments.values()]
    return networks


def _network(ops: Sequence[Operation], function: FuncOp) -> tuple[list[SSAValue], Network]:
    """The layers of one function call, and the values that its tensors are."""
    values: list[SSAValue] = []
    numbers: dict[SSAValue, int] = {}

    def number(value: SSAValue) -> int:
        if value not in numbers:
            numbers[value] = len(values)
            values.append(value)
        return numbers[value]

    nodes: list[Node] = []
    for source, op in enumerate(ops):
        operands: list[Operand] = []
        external = layer_of(op).external
        for index, value in enumerate(op.operands):
            root = view_source(value)
            if is_constant(root) or index in external:
                operands.append(Operand(None))
            else:
                operands.append(Operand(number(root), root is not value))
        nodes.append(Node(layer_of(op), tuple(operands), number(op.results[0]), source))
    inside = set(ops)
    returned = return_of(function)
    kept = {
        numbers[op.results[0]]
        for op in ops
        if any(reader is returned or reader not in inside for reader in _readers(op.results[0]))
    }
    specs = tuple(TensorSpec(shape_of(value), dtype_of(value)) for value in values)
    return values, Network(tuple(nodes), specs, frozenset(kept))


def _readers(value: SSAValue) -> list[Operation]:
    """The ops that read a value or a reshape of it."""
    readers: list[Operation] = []
    for use in value.uses:
        if use.operation.name == VIEW:
            readers += _readers(use.operation.results[0])
        else:
            readers.append(use.operation)
    return readers


def _separately(machine: Machine, ops: Sequence[Operation], group: int) -> int:
    """Each layer by itself, from DDR to DDR: what always fits."""
    for op in ops:
        layer = layer_of(op)
        set_schedule(op, group, choose_tiling(machine, layer, 1))
        needed = areas_of(op, machine)
        set_onchip(op, needed, stack_areas(layer, needed))
        group += 1
    return group


def _write(
    ops: Sequence[Operation],
    values: Sequence[SSAValue],
    planned: Plan,
    group: int,
) -> int:
    """Write a plan into the ops, with its copies between them; returns the next group's number."""
    writer = _Writer(ops, values)
    for layer in planned.layers:
        op = writer.op(layer)
        set_schedule(op, group + layer.group, layer.tiling)
        place = planned.places.get(layer.node.output)
        if place is not None:
            rows, strides = place.ring_rows, place.strides
            set_alloc(op, [AllocAttr.of("l1", place.offset, place.size_bytes, rows, strides)])
        if layer.areas:
            set_onchip(op, layer.areas, layer.offsets)
    for tensor, stored in planned.ddr_values.items():
        if stored != tensor:
            writer.redirect(writer.current[tensor], writer.current[stored])
    return group + planned.layers[-1].group + 1 if planned.layers else group


class _Writer:
    """Puts copies between the ops of a segment, and has each op read the right one."""

    def __init__(self, ops: Sequence[Operation], values: Sequence[SSAValue]) -> None:
        self._ops = ops
        self._inside = set(ops)
        self.current: dict[int, SSAValue] = dict(enumerate(values))
        """Number in the plan → value."""
        self._next = 0

    def op(self, layer: PlannedLayer) -> Operation:
        """The op of a planned layer, with the operands that the plan gives it."""
        node = layer.node
        if node.source is None:
            tensor = node.operands[0].tensor
            assert tensor is not None  # copies copy tensors
            source = self.current[tensor]
            op: Operation = CopyOp.make(source, origin=origin_of(source))
            self._inside.add(op)
            self._insert(op)
            self.current[node.output] = op.results[0]
            return op
        op = self._ops[node.source]
        self._next = node.source + 1
        self.current[node.output] = op.results[0]
        for number, operand in enumerate(node.operands):
            if operand.tensor is None:
                continue
            base = self.current[operand.tensor]
            value = op.operands[number]
            if view_source(value) is base:
                continue
            if operand.is_view:
                base = _reshaped(base, value)
                self._insert(base.owner, op)
            op.operands[number] = base
            _erase_views(value)
        return op

    def _insert(self, op: Operation | Block, before: Operation | None = None) -> None:
        """Put a new op before an op of the segment, by default the next one, or after the last."""
        assert isinstance(op, Operation)
        last = self._ops[-1]
        set_segment(op, segment_of(last))
        set_call(op, call_of(last))
        block = last.parent
        assert block is not None
        if before is None and self._next < len(self._ops):
            before = self._ops[self._next]
        if before is not None:
            block.insert_op_before(op, before)
            return
        block.insert_op_after(op, last if self._tail is None else self._tail)
        self._tail = op

    _tail: Operation | None = None

    def redirect(self, value: SSAValue, stored: SSAValue) -> None:
        """Have readers outside the segment read a value, or reshapes of it, from DDR."""
        for use in list(value.uses):
            user = use.operation
            if user.name == VIEW:
                view = _reshaped(stored, user.results[0])
                assert isinstance(stored.owner, Operation)  # a copy, or a reshape of it
                block = stored.owner.parent
                assert block is not None
                set_segment(view.owner, segment_of(stored.owner))  # pyright: ignore[reportArgumentType] # made just now
                block.insert_op_after(view.owner, stored.owner)  # pyright: ignore[reportArgumentType] # made just now
                self.redirect(user.results[0], view)
                _erase_views(view)
                _erase_views(user.results[0])
            elif user not in self._inside:
                user.operands[use.index] = stored


def _reshaped(value: SSAValue, like: SSAValue) -> SSAValue:
    """A reshape of `value` to the shape of `like`, not in a block yet."""
    op = ReshapeOp.make(value, shape=list(shape_of(like)), origin=origin_of(like))
    return op.results[0]


def _erase_views(value: SSAValue) -> None:
    """Erase a reshape that nobody reads, and what it reshapes likewise."""
    while isinstance(value.owner, Operation) and value.owner.name == VIEW and not any(value.uses):
        view = value.owner
        value = view.operands[0]
        view.detach()
        view.erase()

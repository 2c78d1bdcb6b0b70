"""The bridge from ops to the backend: an op as a `Layer`, its schedule attributes as a `Tiling`.

The schedule passes, the scheduled interpreter and the compiler read and write schedules through
these functions; the backend itself knows no IR.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import is_
from typing import cast
from weakref import WeakKeyDictionary

from xdsl.dialects.builtin import ArrayAttr, IntegerAttr, i64
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Block, Operation, OpResult, SSAValue

from hbir.backend.layer import Layer, TensorSpec
from hbir.backend.march import Machine
from hbir.backend.regions import layer_regions
from hbir.backend.tiling import Area, Tiling, areas, resident_slots
from hbir.dialects.bpu.schedule import ALLOC, SCHEDULE, AllocAttr, ScheduleAttr
from hbir.errors import HbirError
from hbir.ir.function import body_of
from hbir.ir.op import TensorOp
from hbir.ir.types import dtype_of, shape_of
from hbir.ir.verify import describe_op

CONSTANT = "hbir.constant"
CPU_CALL = "hbtl.call"
VIEW = "bpu.reshape"
"""A reshape of a dense tensor is the same bytes: no instruction."""

COPY = "bpu.copy"
"""The same tensor in another memory: made by the schedule alone."""

ONCHIP = "onchip"
"""Key of the discardable attribute with one `#bpu.alloc<l1, ...>` per area of a layer."""

SEGMENT = "segment"
"""Key of the discardable attribute with the number of the segment that an op runs in."""

CALL = "call"
"""Key of the discardable attribute with the number of an op's function call in its segment."""

CORE_AXIS = "core_axis"
"""Key of the discardable attribute with the axis along which cores share an op's tiles."""

_QUANTIZE_OPS = ("qnt.quantize", "qnt.dequantize")


@dataclass(frozen=True)
class BodyOp:
    """An op of a function's body: exactly one of the kinds below."""

    op: Operation
    position: int

    @property
    def is_layer(self) -> bool:
        """Whether the BPU computes it."""
        return is_layer(self.op)

    @property
    def is_call(self) -> bool:
        """Whether the CPU computes it."""
        return self.op.name == CPU_CALL


def body_ops(function: FuncOp) -> Iterator[BodyOp]:
    """The ops of a function but constants and the return, with their positions in the body.

    Raises HbirError for an op that no engine and no CPU call can run.
    """
    for position, op in enumerate(body_of(function).ops):
        if op.name == CONSTANT or not op.results:
            continue
        if not (is_layer(op) or op.name in (CPU_CALL, VIEW)):
            raise HbirError(
                f"{describe_op(op)} can't be scheduled: only bpu ops, quantize and dequantize, and"
                " CPU calls can; convert the module first"
            )
        yield BodyOp(op, position)


def is_layer(op: Operation) -> bool:
    """Whether an op becomes instructions of the BPU."""
    return (op.name.startswith("bpu.") and op.name != VIEW) or op.name in _QUANTIZE_OPS


def is_constant(value: SSAValue) -> bool:
    """Whether a value's bytes are known when compiling."""
    return isinstance(value, OpResult) and value.op.name == CONSTANT


def layer_of(op: Operation) -> Layer:
    """The layer that an op is. Raises HbirError when it is none."""
    if not isinstance(op, TensorOp) or not is_layer(op):
        raise HbirError(f"{describe_op(op)} is not a layer of the BPU")
    attributes = [*op.properties.values(), *(v.type for v in op.operands), op.results[0].type]
    known = _layers.get(op)
    if known is not None and all(map(is_, known[0], attributes)):
        return known[1]
    inputs = tuple(
        TensorSpec(shape_of(value), dtype_of(value), is_constant(value)) for value in op.operands
    )
    output = TensorSpec(shape_of(op.results[0]), dtype_of(op.results[0]))
    layer = Layer(op.name.partition(".")[2], inputs, output, op.params(), describe_op(op))
    _layers[op] = (attributes, layer)
    return layer


_layers: WeakKeyDictionary[Operation, tuple[list[Attribute], Layer]] = WeakKeyDictionary()
"""The layers asked for last: several passes ask for each. An entry holds while the op has the
very attributes (they are immutable) that it was made from."""


def view_source(value: SSAValue) -> SSAValue:
    """The value whose bytes `value` is: itself, or what the reshapes above it start from."""
    while isinstance(value, OpResult) and value.op.name == VIEW:
        value = value.op.operands[0]
    return value


def clear_schedule(function: FuncOp) -> None:
    """Take back what a schedule wrote into a function: its attributes, and its copies."""
    for op in list(body_of(function).ops):
        for key in (SCHEDULE, ALLOC, ONCHIP, CORE_AXIS):
            op.attributes.pop(key, None)
        if op.name == COPY:
            op.results[0].replace_all_uses_with(op.operands[0])
            op.detach()
            op.erase()


def set_schedule(op: Operation, group: int, tiling: Tiling) -> None:
    """Write a tiling as the op's `schedule`; the K axis only where K is split."""
    layer = layer_of(op)
    tile, order = tiling.tile, tiling.order
    axis = layer_regions(layer).reduction_axis
    if axis is not None and tile[axis] == layer_regions(layer).extents[axis]:
        tile = tile[:axis] + tile[axis + 1 :]
        order = tuple(a for a in order if a != axis)
    op.attributes[SCHEDULE] = ScheduleAttr.of(group, tile, order, tiling.buffers, tiling.lead)


def schedule_of(op: Operation) -> ScheduleAttr:
    """The op's `schedule`. Raises HbirError when it has none."""
    attribute = op.attributes.get(SCHEDULE)
    if not isinstance(attribute, ScheduleAttr):
        raise HbirError(f"{describe_op(op)} has no schedule; run tile-layers first")
    return attribute


def tiling_of(op: Operation, layer: Layer) -> Tiling:
    """The tiling that the op's `schedule` says. Raises HbirError when it doesn't fit the op."""
    attribute = schedule_of(op)
    tile, order = attribute.tile_extents, attribute.loop_order
    regions = layer_regions(layer)
    axis = regions.reduction_axis
    if axis is not None and len(tile) == axis:
        tile, order = (*tile, regions.extents[axis]), (*order, axis)
    if len(tile) != len(regions.extents):
        raise HbirError(
            f"{describe_op(op)}: schedule has a tile of {len(tile)} axes, expected"
            f" {len(regions.extents)}"
        )
    for number, (size, extent) in enumerate(zip(tile, regions.extents, strict=True)):
        if size > extent or (number in regions.whole_axes and size != extent):
            raise HbirError(
                f"{describe_op(op)}: schedule cuts axis {number} of {extent} elements into tiles"
                f" of {size}"
            )
    granule = regions.channel_granule
    if granule and tile[3] % granule and granule % tile[3]:
        raise HbirError(
            f"{describe_op(op)}: schedule has tiles of {tile[3]} channels, which neither divide"
            f" nor are multiples of the group's {granule}"
        )
    return Tiling(tile, order, attribute.buffers.data, attribute.lead.data)


def set_onchip(op: Operation, areas: Sequence[Area], offsets: Sequence[Sequence[int]]) -> None:
    """Write where the areas of a layer lie on chip. offsets: by area, one per buffer."""
    op.attributes[ONCHIP] = ArrayAttr(
        [
            AllocAttr.of("l1", offset, area.bytes_per_buffer)
            for area, buffers in zip(areas, offsets, strict=True)
            for offset in buffers
        ]
    )


def onchip_of(op: Operation, areas: Sequence[Area]) -> list[tuple[int, ...]]:
    """By area, the offset of each of its buffers. Raises HbirError when they don't hold them."""
    allocs = _allocs(op, ONCHIP, "allocate-onchip") if ONCHIP in op.attributes or areas else []
    sizes = [area.bytes_per_buffer for area in areas for _ in range(area.buffers)]
    if [alloc.bytes.data for alloc in allocs] != sizes:
        raise HbirError(
            f"{describe_op(op)}: onchip has buffers of {[a.bytes.data for a in allocs]} bytes, its"
            f" tiles need {sizes}"
        )
    offsets = iter(alloc.offset.data for alloc in allocs)
    return [tuple(next(offsets) for _ in range(area.buffers)) for area in areas]


def areas_of(op: Operation, machine: Machine) -> tuple[Area, ...]:
    """The on-chip memory that the op's tiles need, beside the tensors that are on chip whole."""
    layer = layer_of(op)
    tiling = tiling_of(op, layer)
    return areas(machine, layer, tiling.largest_tile, tiling.buffers, resident_of(op, layer))


def resident_of(op: Operation, layer: Layer) -> frozenset[int]:
    """Operands of the op, and OUTPUT, that need no area: see `resident_slots`."""
    inputs = {i for i, value in enumerate(op.operands) if is_on_chip(value)}
    return resident_slots(layer, inputs, is_on_chip(op.results[0]))


def is_on_chip(value: SSAValue) -> bool:
    """Whether the schedule keeps a tensor on chip."""
    root = view_source(value)
    if not isinstance(root, OpResult):
        return False
    attribute = root.op.attributes.get(ALLOC)
    return isinstance(attribute, AllocAttr) and attribute.on_chip


def set_alloc(op: Operation, allocs: Sequence[AllocAttr]) -> None:
    """Write where the op's results lie in DDR: one `#bpu.alloc`, or an array for several."""
    op.attributes[ALLOC] = allocs[0] if len(allocs) == 1 else ArrayAttr(allocs)


def allocs_of(op: Operation) -> list[AllocAttr]:
    """Where the op's results lie in DDR. Raises HbirError when that isn't said."""
    return _allocs(op, ALLOC, "allocate-workspace")


def _allocs(op: Operation, key: str, pass_name: str) -> list[AllocAttr]:
    attribute = op.attributes.get(key)
    entries: list[Attribute] = []
    if isinstance(attribute, ArrayAttr):
        entries = list(cast(ArrayAttr[Attribute], attribute).data)
    elif attribute is not None:
        entries = [attribute]
    allocs = [entry for entry in entries if isinstance(entry, AllocAttr)]
    if not allocs or len(allocs) != len(entries):
        raise HbirError(f"{describe_op(op)} has no {key}; run {pass_name} first")
    return allocs


def set_segment(op: Operation, segment: int) -> None:
    """Write the op's segment."""
    op.attributes[SEGMENT] = IntegerAttr(segment, i64)


def segment_of(op: Operation) -> int:
    """The op's segment: even on the BPU, odd on the CPU. Raises HbirError when it has none."""
    attribute = op.attributes.get(SEGMENT)
    if not isinstance(attribute, IntegerAttr):
        raise HbirError(f"{describe_op(op)} has no segment; run partition-segments first")
    return attribute.value.data


def set_call(op: Operation, call: int) -> None:
    """Write the number of the op's function call within its segment."""
    op.attributes[CALL] = IntegerAttr(call, i64)


def call_of(op: Operation) -> int:
    """The number of the op's function call within its segment; 0 where nothing says one."""
    attribute = op.attributes.get(CALL)
    return attribute.value.data if isinstance(attribute, IntegerAttr) else 0


def set_core_axis(op: Operation, axis: int | None) -> None:
    """Write the axis along which cores share the op's tiles; None for one core."""
    op.attributes.pop(CORE_AXIS, None)
    if axis is not None:
        op.attributes[CORE_AXIS] = IntegerAttr(axis, i64)


def core_axis_of(op: Operation) -> int | None:
    """The axis along which cores share the op's tiles; None where one computes it all."""
    attribute = op.attributes.get(CORE_AXIS)
    return attribute.value.data if isinstance(attribute, IntegerAttr) else None


def reorder(block: Block, ops: Sequence[Operation]) -> None:
    """Make `ops` (all of the block's but the terminator) stand in this order."""
    last = block.last_op
    for op in ops:
        op.detach()
    if last is None:
        block.add_ops(ops)
    else:
        block.insert_ops_before(ops, last)

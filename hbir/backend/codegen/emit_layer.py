"""One layer as instructions: per tile its loads, its computation and its store.

Operands whose box didn't change stay where they are; with two buffers the next tile's loads run
beside the current computation. Constants are loaded first, so that they can arrive while the
producer of the activations still runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hbir.backend.codegen.addresses import AddressMap, Holder
from hbir.backend.codegen.queues import Needs, Queues, merge
from hbir.backend.codegen.tensors import Constant, DdrTensor, Source
from hbir.backend.isa.builder import ProgramBuilder
from hbir.backend.isa.descriptor import TensorDescriptor, channel_padded, dense
from hbir.backend.isa.enums import DType, Engine, Flag, Space
from hbir.backend.layer import Layer
from hbir.backend.march import Machine
from hbir.backend.regions import Box, layer_regions
from hbir.backend.tile_grid import TileGrid
from hbir.backend.tile_grid_cost import ACCUMULATOR, OUTPUT, accumulator_itemsize
from hbir.backend.tiling import Tiling


@dataclass(frozen=True)
class Placement:
    """Where an area of a layer lies on chip: `operand` as in `tiling.Area`."""

    operand: int
    offset: int
    bytes_per_buffer: int
    buffers: int


@dataclass(frozen=True)
class ScheduledLayer:
    """A layer with everything decided: code generation only writes it down."""

    layer: Layer
    tiling: Tiling
    placements: tuple[Placement, ...]
    inputs: tuple[Source, ...]
    output: DdrTensor
    number: int
    """Its entry in the debug table."""


@dataclass
class _Buffer:
    """One buffer of an area, and the box that it holds now."""

    offset: int
    holder: Holder
    key: tuple[Any, ...] | None = None


@dataclass
class _Area:
    """The buffers of an operand, used in turn."""

    buffers: list[_Buffer]
    turn: int = 0

    def find(self, key: tuple[Any, ...]) -> _Buffer | None:
        """The buffer that holds `key` already."""
        for buffer in self.buffers:
            if buffer.key == key:
                return buffer
        return None

    def next(self, key: tuple[Any, ...]) -> _Buffer:
        """The buffer to overwrite: that which was filled longest ago."""
        buffer = self.buffers[self.turn]
        self.turn = (self.turn + 1) % len(self.buffers)
        buffer.key = key
        return buffer


@dataclass
class LayerEmitter:
    """Writes the layers of one function call."""

    machine: Machine
    program: ProgramBuilder
    queues: Queues
    onchip: AddressMap = field(default_factory=AddressMap)

    def emit(self, step: ScheduledLayer) -> None:
        """Append all instructions of a layer."""
        _LayerRun(self, step).run()


class _LayerRun:
    """The state of one layer while its tiles are written."""

    def __init__(self, emitter: LayerEmitter, step: ScheduledLayer) -> None:
        self.machine = emitter.machine
        self.program = emitter.program
        self.queues = emitter.queues
        self.step = step
        self.layer = step.layer
        self.grid = TileGrid(layer_regions(step.layer), step.tiling.tile)
        self.areas = {p.operand: self._area(emitter.onchip, p) for p in step.placements}
        self.engine = Engine[self.machine.engine_of(self.layer.opcode)]
        self.constants: dict[tuple[Any, ...], int] = {}
        self.channel_bytes = self.machine.memory.channel_align_bytes
        step.output.buffer.grid = self.grid
        # Constants first; otherwise the kernel's order.
        self.load_order = sorted(
            range(len(step.inputs)), key=lambda i: not isinstance(step.inputs[i], Constant)
        )

    @staticmethod
    def _area(onchip: AddressMap, placement: Placement) -> _Area:
        size = placement.bytes_per_buffer
        offsets = [placement.offset + i * size for i in range(placement.buffers)]
        return _Area([_Buffer(o, onchip.take(o, o + size)) for o in offsets])

    def run(self) -> None:
        for index in self.grid.indices(self.step.tiling.order):
            if self.layer.moves_only:
                self._move(index)
            else:
                self._compute(index)

    # Layers that only move

    def _move(self, index: tuple[int, ...]) -> None:
        box = self.grid.output_box(index)
        output = self.areas[OUTPUT].next((index,))
        tile = self._onchip(output, self.layer.output.dtype, box)
        filled = self._fill(index, box, output, tile)
        for operand, source in enumerate(self.step.inputs):
            piece = self.grid.operand_box(operand, index)
            if piece is None:
                continue
            steps = self.grid.operand_steps(operand)
            origin = self._source(source, operand, piece, steps)
            target = _part(tile, self.grid.place(operand, index), origin.shape)
            needs = dict(output.holder.written if filled else output.holder.accessed)
            merge(needs, self._source_needs(source, piece))
            count = self.queues.issue(
                Engine.LOAD, "load", (target, origin), needs, layer=self.step.number
            )
            if filled:
                output.holder.write_more(Engine.LOAD, count)
            else:
                output.holder.write(Engine.LOAD, count)
            filled = True
            self._source_read(source, count)
        self._store(index, box, output)

    def _fill(
        self, index: tuple[int, ...], box: Box, output: _Buffer, tile: TensorDescriptor
    ) -> bool:
        """Write the pad value under a tile that its inputs don't cover; whether it was needed."""
        if self.layer.kind != "pad":
            return False
        piece = self.grid.operand_box(0, index)
        if piece is not None and _extents(piece) == _extents(box):
            return False
        engine = Engine[self.machine.engine_of("fill")]
        params = {"value": int(self.layer.params.get("pad_value", 0))}
        count = self.queues.issue(
            engine, "fill", (tile,), output.holder.accessed, params, self.step.number
        )
        output.holder.write(engine, count)
        return True

    # Layers that compute

    def _compute(self, index: tuple[int, ...]) -> None:
        box = self.grid.output_box(index)
        first, last = self._reduction_ends(index)
        needs: Needs = {}
        used: list[_Buffer] = []
        operands: list[TensorDescriptor | None] = [None] * len(self.step.inputs)
        for operand in self.load_order:
            if operand == 3 and self.layer.kind == "conv2d" and not last:
                continue  # the residual is added once, by the last part of a K split
            buffer, descriptor = self._load(operand, index)
            operands[operand] = descriptor
            used.append(buffer)
            merge(needs, buffer.holder.written)
        written: list[tuple[TensorDescriptor | None, _Buffer | None]] = []
        if self.layer.kind == "conv2d":
            written = [self._output(index, box, last), self._accumulator(index, box)]
        else:
            written = [self._output(index, box, True)]
        for _, buffer in written:
            if buffer is not None:
                merge(needs, buffer.holder.accessed)
        flags = None
        if self.layer.kind == "conv2d":
            flags = Flag.ACCUMULATE_FIRST if first else Flag.NONE
            flags |= Flag.ACCUMULATE_LAST if last else Flag.NONE
        count = self.queues.issue(
            self.engine,
            self.layer.opcode,
            [*(descriptor for descriptor, _ in written), *operands],
            needs,
            self._params(index),
            self.step.number,
            flags,
        )
        for buffer in used:
            buffer.holder.read(self.engine, count)
        for _, buffer in written:
            if buffer is not None:
                buffer.holder.write(self.engine, count)
        output = written[0][1]
        if output is not None:
            self._store(index, box, output)

    def _params(self, index: tuple[int, ...]) -> dict[str, Any]:
        params = self.grid.params(index)
        params.pop("dtype", None)
        return params

    def _reduction_ends(self, index: tuple[int, ...]) -> tuple[bool, bool]:
        axis = self.grid.regions.reduction_axis
        if axis is None:
            return True, True
        return index[axis] == 0, index[axis] == self.grid.counts[axis] - 1

    def _output(
        self, index: tuple[int, ...], box: Box, last: bool
    ) -> tuple[TensorDescriptor | None, _Buffer | None]:
        if not last:
            return None, None
        buffer = self.areas[OUTPUT].next((index,))
        return self._onchip(buffer, self.layer.output.dtype, box), buffer

    def _accumulator(
        self, index: tuple[int, ...], box: Box
    ) -> tuple[TensorDescriptor | None, _Buffer | None]:
        area = self.areas.get(ACCUMULATOR)
        if area is None:
            return None, None
        dtype = np.dtype(np.int32 if accumulator_itemsize(self.layer) == 4 else np.int64)
        return self._onchip(area.buffers[0], dtype, box), area.buffers[0]

    def _load(self, operand: int, index: tuple[int, ...]) -> tuple[_Buffer, TensorDescriptor]:
        """The buffer that holds an operand's box, loaded unless it is there already."""
        box = self.grid.operand_box(operand, index)
        assert box is not None  # only layers that move have operands that a tile doesn't touch
        source = self.step.inputs[operand]
        area = self.areas[operand]
        buffer = area.find(box)
        if buffer is not None:
            return buffer, self._operand(source, buffer, operand, box)
        buffer = area.next(box)
        descriptor = self._operand(source, buffer, operand, box)
        needs = dict(buffer.holder.accessed)
        merge(needs, self._source_needs(source, box))
        origin = self._source(source, operand, box, None)
        count = self.queues.issue(
            Engine.LOAD, "load", (descriptor, origin), needs, layer=self.step.number
        )
        buffer.holder.write(Engine.LOAD, count)
        self._source_read(source, count)
        return buffer, descriptor

    def _operand(self, source: Source, buffer: _Buffer, operand: int, box: Box) -> TensorDescriptor:
        dtype = self.layer.inputs[operand].dtype
        if isinstance(source, Constant):
            return dense(Space.L1, buffer.offset, DType.of(dtype), _extents(box))
        return self._onchip(buffer, dtype, box)

    # Both

    def _store(self, index: tuple[int, ...], box: Box, output: _Buffer) -> None:
        target = self.step.output
        assert target.buffer.holder is not None  # the graph emitter opens it before the layer
        needs = dict(output.holder.written)
        merge(needs, target.buffer.holder.accessed)
        source = self._onchip(output, self.layer.output.dtype, box)
        count = self.queues.issue(
            Engine.STORE, "store", (target.descriptor(box), source), needs, layer=self.step.number
        )
        output.holder.read(Engine.STORE, count)
        target.buffer.holder.write_more(Engine.STORE, count)
        rank = len(self.layer.output.shape)
        target.buffer.stored[index[:rank]] = count

    def _onchip(self, buffer: _Buffer, dtype: np.dtype[Any], box: Box) -> TensorDescriptor:
        if not box:
            return dense(Space.L1, buffer.offset, DType.of(dtype), ())
        return channel_padded(
            Space.L1, buffer.offset, DType.of(dtype), _extents(box), self.channel_bytes
        )

    def _source(
        self, source: Source, operand: int, box: Box, steps: tuple[int, ...] | None
    ) -> TensorDescriptor:
        if isinstance(source, DdrTensor):
            return source.descriptor(box, steps)
        key = (operand, box)
        where = tuple(
            slice(low, high, step)
            for (low, high), step in zip(box, steps or (1,) * len(box), strict=True)
        )
        part = source.array[where]
        if key not in self.constants:
            self.constants[key] = self.program.constant(part)
        return dense(Space.CONSTANT, self.constants[key], DType.of(part.dtype), part.shape)

    @staticmethod
    def _source_needs(source: Source, box: Box) -> Needs:
        return source.needs(box) if isinstance(source, DdrTensor) else {}

    @staticmethod
    def _source_read(source: Source, count: int) -> None:
        if isinstance(source, DdrTensor) and source.buffer.holder is not None:
            source.buffer.holder.read(Engine.LOAD, count)


def _extents(box: Box) -> tuple[int, ...]:
    return tuple(high - low for low, high in box)


def _part(tile: TensorDescriptor, place: Sequence[int], shape: tuple[int, ...]) -> TensorDescriptor:
    """The part of a tile at `place`. It owns no padding: its neighbours may lie there."""
    base = tile.base + sum(p * s for p, s in zip(place, tile.strides, strict=True))
    whole = shape[-1] == tile.shape[-1]
    padding = tile.padding_bytes if whole else 0
    return tile._replace(base=base, shape=shape, padding_bytes=padding)

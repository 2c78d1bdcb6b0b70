"""One layer as instructions: per tile its loads, its computation and its store.

Tensors on chip are used where they lie. Of those in DDR, an operand whose box didn't change stays
where it is; with two buffers the next tile's loads run beside the current computation. Constants
are loaded first, so that they can arrive while the producer of the activations still runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hbir.backend.codegen.addresses import AddressMap, Holder
from hbir.backend.codegen.queues import Needs, Queues, merge, queue_number
from hbir.backend.codegen.tensors import Constant, MemoryTensor, Source, Writer
from hbir.backend.isa.builder import GraphBuilder, ProgramBuilder
from hbir.backend.isa.descriptor import TensorDescriptor, channel_padded, dense
from hbir.backend.isa.enums import DType, Engine, Flag, Space
from hbir.backend.isa.program import SharedBox
from hbir.backend.layer import Layer
from hbir.backend.march import Machine
from hbir.backend.regions import Box, layer_regions
from hbir.backend.tile_grid import TileGrid
from hbir.backend.tile_grid_cost import ACCUMULATOR, OUTPUT, accumulator_itemsize
from hbir.backend.tiling import Tiling

Index = tuple[int, ...]


@dataclass(frozen=True)
class Placement:
    """Where the buffers of an area of a layer lie on chip: `operand` as in `tiling.Area`."""

    operand: int
    bytes_per_buffer: int
    offsets: tuple[int, ...]


@dataclass(frozen=True)
class ScheduledLayer:
    """A layer with everything decided: code generation only writes it down."""

    layer: Layer
    tiling: Tiling
    placements: tuple[Placement, ...]
    inputs: tuple[Source, ...]
    output: MemoryTensor
    number: int
    """Its entry in the debug table."""
    producers: tuple[int | None, ...] = ()
    """By operand: the place in the layer's group of the layer that makes it; None for none."""
    core_axis: int | None = None
    """The axis along which cores share its tiles; None where one core computes all."""


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
    """Writes the layers of one function call for one core."""

    machine: Machine
    program: ProgramBuilder
    queues: Queues
    graph: GraphBuilder
    core: int = 0
    onchip: AddressMap = field(default_factory=AddressMap)

    def queue(self, engine: Engine) -> int:
        """The number of an engine's queue."""
        return queue_number(self.core, engine)


class LayerRun:
    """The state of one layer while its tiles are written."""

    def __init__(self, emitter: LayerEmitter, step: ScheduledLayer, grid: TileGrid) -> None:
        self.program = emitter.program
        self.queues = emitter.queues
        self.graph = emitter.graph
        self.step = step
        self.layer = step.layer
        self.grid = grid
        self.areas = {p.operand: self._area(emitter.onchip, p) for p in step.placements}
        machine = emitter.machine
        self.engine = emitter.queue(Engine[machine.engine_of(self.layer.opcode)])
        self.load, self.store = emitter.queue(Engine.LOAD), emitter.queue(Engine.STORE)
        self.copy = emitter.queue(Engine[machine.engine_of("copy")])
        self.fill = emitter.queue(Engine[machine.engine_of("fill")])
        self.channel_bytes = machine.memory.channel_align_bytes
        self.constants: dict[tuple[Any, ...], int] = {}
        self.constant_operands = [
            i for i, source in enumerate(step.inputs) if isinstance(source, Constant)
        ]
        self.rank = len(self.layer.output.shape)
        self.writer = Writer(step.output.origin, grid, partial=step.core_axis is not None)
        step.output.buffer.writers.append(self.writer)

    @staticmethod
    def _area(onchip: AddressMap, placement: Placement) -> _Area:
        size = placement.bytes_per_buffer
        return _Area([_Buffer(o, onchip.take(o, o + size)) for o in placement.offsets])

    def run(self, indices: Iterator[Index]) -> None:
        """Write the instructions of some tiles."""
        emit = self._move if self.layer.moves_only else self._compute
        for index in indices:
            emit(index)

    def _issue(
        self, queue: int, opcode: str, operands: Sequence[TensorDescriptor], needs: Needs
    ) -> int:
        return self.queues.issue(queue, opcode, operands, needs, layer=self.step.number)

    # Layers that only move

    def _move(self, index: Index) -> None:
        box = self.grid.output_box(index)
        output = self.step.output
        if output.buffer.on_chip:
            self._move_on_chip(index, box)
        elif OUTPUT in self.areas:
            self._move_through_area(index, box)
        else:
            for piece, place in self._pieces(index):
                target = tuple((low, high) for low, high in _shift(place, box))
                source, part, steps = piece
                assert isinstance(source, MemoryTensor)  # constants need an area
                needs = source.needs(part)
                merge(needs, output.write_needs(target))
                operands = (output.descriptor(target), source.descriptor(part, steps))
                count = self._issue(self.store, "store", operands, needs)
                source.read(self.store, count, part)
                self._wrote(index, self.store, count, target)

    def _pieces(self, index: Index) -> Iterator[tuple[tuple[Source, Box, tuple[int, ...]], Box]]:
        """Per operand that the tile touches: (source, its box, its steps), place in the tile."""
        for operand, source in enumerate(self.step.inputs):
            box = self.grid.operand_box(operand, index)
            if box is None:
                continue
            steps = self.grid.operand_steps(operand)
            place = self.grid.place(operand, index)
            extents = (
                -(-(high - low) // step) for (low, high), step in zip(box, steps, strict=True)
            )
            where = tuple((start, start + n) for start, n in zip(place, extents, strict=True))
            yield (source, box, steps), where

    def _move_on_chip(self, index: Index, box: Box) -> None:
        output = self.step.output
        filled: Needs = {}
        if self._needs_fill(index, box):
            params = {"value": int(self.layer.params.get("pad_value", 0))}
            count = self.queues.issue(
                self.fill, "fill", (output.descriptor(box),), output.write_needs(box), params,
                self.step.number,
            )  # fmt: skip
            self._wrote(index, self.fill, count, box)
            filled = {self.fill: count}
        for (source, part, steps), place in self._pieces(index):
            target_box = _shift(place, box)
            target = output.descriptor(target_box)
            origin = self._source(source, part, steps)
            if (origin.space, origin.base, origin.strides) == (
                target.space, target.base, target.strides,
            ):  # fmt: skip
                self._share(source, part, target_box)
                continue  # it is in place
            needs = output.write_needs(target_box)
            merge(needs, filled)
            merge(needs, self._source_needs(source, part))
            on_chip = isinstance(source, MemoryTensor) and source.buffer.on_chip
            queue, opcode = (self.copy, "copy") if on_chip else (self.load, "load")
            count = self._issue(queue, opcode, (target, origin), needs)
            if isinstance(source, MemoryTensor):
                source.read(queue, count, part)
            self._wrote(index, queue, count, target_box)

    def _move_through_area(self, index: Index, box: Box) -> None:
        area = self.areas[OUTPUT].next((index,))
        tile = self._onchip(area, self.layer.output.dtype, box)
        filled = self._needs_fill(index, box)
        if filled:
            params = {"value": int(self.layer.params.get("pad_value", 0))}
            count = self.queues.issue(
                self.fill, "fill", (tile,), area.holder.accessed, params, self.step.number
            )
            area.holder.write(self.fill, count)
        for (source, part, steps), place in self._pieces(index):
            origin = self._source(source, part, steps)
            target = _part(tile, [low for low, _ in place], origin.shape)
            needs = dict(area.holder.written if filled else area.holder.accessed)
            merge(needs, self._source_needs(source, part))
            on_chip = isinstance(source, MemoryTensor) and source.buffer.on_chip
            queue, opcode = (self.copy, "copy") if on_chip else (self.load, "load")
            count = self._issue(queue, opcode, (target, origin), needs)
            if filled:
                area.holder.write_more(queue, count)
            else:
                area.holder.write(queue, count)
            filled = True
            if isinstance(source, MemoryTensor):
                source.read(queue, count, part)
        self._store(index, box, area)

    def _needs_fill(self, index: Index, box: Box) -> bool:
        """Whether a tile has elements that its inputs don't cover."""
        if self.layer.kind != "pad":
            return False
        piece = self.grid.operand_box(0, index)
        return piece is None or _extents(piece) != _extents(box)

    # Layers that compute

    def _compute(self, index: Index) -> None:
        box = self.grid.output_box(index)
        first, last = self._reduction_ends(index)
        needs: Needs = {}
        used: list[Holder] = []
        operands: list[TensorDescriptor | None] = [None] * len(self.step.inputs)
        self._load_constants(index, operands, needs, used)
        resident: list[tuple[MemoryTensor, Box]] = []
        for operand, source in enumerate(self.step.inputs):
            if isinstance(source, Constant):
                continue
            if operand == 3 and self.layer.kind == "conv2d" and not last:
                continue  # the residual is added once, by the last part of a K split
            part = self.grid.operand_box(operand, index)
            assert part is not None  # only layers that move have operands a tile doesn't touch
            if source.buffer.on_chip or operand in self.layer.external:
                operands[operand] = source.descriptor(part)
                resident.append((source, part))
                merge(needs, source.needs(part))
                continue
            buffer = self._load_tile(operand, source, part)
            operands[operand] = self._onchip(buffer, source.dtype, part)
            used.append(buffer.holder)
            merge(needs, buffer.holder.written)
        written, writes, area = self._written(box, last, needs)
        flags = None
        if self.layer.kind == "conv2d":
            flags = Flag.ACCUMULATE_FIRST if first else Flag.NONE
            flags |= Flag.ACCUMULATE_LAST if last else Flag.NONE
        count = self.queues.issue(
            self.engine,
            self.layer.opcode,
            [*written, *operands],
            needs,
            self._params(index),
            self.step.number,
            flags,
        )
        for holder in used:
            holder.read(self.engine, count)
        for source, part in resident:
            source.read(self.engine, count, part)
        for holder in writes:
            holder.write(self.engine, count)
        if area is not None:
            self._store(index, box, area)
        elif last:
            self._wrote(index, self.engine, count, box)

    def _written(
        self, box: Box, last: bool, needs: Needs
    ) -> tuple[list[TensorDescriptor | None], list[Holder], _Buffer | None]:
        """The written operands, the holders of areas among them, and the output's area."""
        descriptors: list[TensorDescriptor | None] = [None]
        writes: list[Holder] = []
        area: _Buffer | None = None
        if last and self.step.output.buffer.on_chip:
            descriptors = [self.step.output.descriptor(box)]
            merge(needs, self.step.output.write_needs(box))
        elif last:
            area = self.areas[OUTPUT].next((box,))
            descriptors = [self._onchip(area, self.layer.output.dtype, box)]
            writes.append(area.holder)
        if self.layer.kind == "conv2d":
            descriptors.append(self._accumulator(box, writes))
        for holder in writes:
            merge(needs, holder.accessed)
        return descriptors, writes, area

    def _accumulator(self, box: Box, writes: list[Holder]) -> TensorDescriptor | None:
        area = self.areas.get(ACCUMULATOR)
        if area is None:
            return None
        writes.append(area.buffers[0].holder)
        dtype = np.dtype(np.int32 if accumulator_itemsize(self.layer) == 4 else np.int64)
        return self._onchip(area.buffers[0], dtype, box)

    def _params(self, index: Index) -> dict[str, Any]:
        params = self.grid.params(index)
        params.pop("dtype", None)
        return params

    def _reduction_ends(self, index: Index) -> tuple[bool, bool]:
        axis = self.grid.regions.reduction_axis
        if axis is None:
            return True, True
        return index[axis] == 0, index[axis] == self.grid.counts[axis] - 1

    # Loads and stores

    def _load_constants(
        self,
        index: Index,
        operands: list[TensorDescriptor | None],
        needs: Needs,
        used: list[Holder],
    ) -> None:
        """Constants of a tile; those that aren't there yet and lie side by side in one load."""
        missing: list[tuple[_Buffer, np.ndarray[Any, Any]]] = []
        buffers: list[_Buffer] = []
        for operand in self.constant_operands:
            source = self.step.inputs[operand]
            assert isinstance(source, Constant)
            box = self.grid.operand_box(operand, index)
            assert box is not None
            area = self.areas[operand]
            buffer = area.find(box)
            if buffer is None:
                buffer = area.next(box)
                missing.append((buffer, source.array[_slices(box)]))
            buffers.append(buffer)
            dtype = DType.of(source.array.dtype)
            operands[operand] = dense(Space.L1, buffer.offset, dtype, _extents(box))
        missing.sort(key=lambda entry: entry[0].offset)
        while missing:
            bundle = [missing.pop(0)]
            end = bundle[0][0].offset + _aligned(bundle[0][1].nbytes)
            while missing and missing[0][0].offset == end:
                bundle.append(missing.pop(0))
                end += _aligned(bundle[-1][1].nbytes)
            self._load_bundle(bundle)
        for buffer in buffers:
            used.append(buffer.holder)
            merge(needs, buffer.holder.written)

    def _load_bundle(self, bundle: list[tuple[_Buffer, np.ndarray[Any, Any]]]) -> None:
        needs: Needs = {}
        for buffer, _ in bundle:
            merge(needs, buffer.holder.accessed)
        offset = bundle[0][0].offset
        if len(bundle) == 1:
            array = bundle[0][1]
            dtype, shape = DType.of(array.dtype), array.shape
            origin = self.program.constant(array)
        else:
            blobs = [np.ascontiguousarray(array).tobytes() for _, array in bundle]
            padded = [blob + bytes(-len(blob) % _ALIGNMENT) for blob in blobs[:-1]]
            blob = b"".join((*padded, blobs[-1]))
            dtype, shape = DType.SI8, (len(blob),)
            origin = self.program.constant(blob)
        operands = (
            dense(Space.L1, offset, dtype, shape),
            dense(Space.CONSTANT, origin, dtype, shape),
        )
        count = self._issue(self.load, "load", operands, needs)
        for buffer, _ in bundle:
            buffer.holder.write(self.load, count)

    def _load_tile(self, operand: int, source: MemoryTensor, box: Box) -> _Buffer:
        """The buffer that holds an operand's box, loaded unless it is there already."""
        area = self.areas[operand]
        buffer = area.find(box)
        if buffer is not None:
            return buffer
        buffer = area.next(box)
        needs = dict(buffer.holder.accessed)
        merge(needs, source.needs(box))
        operands = (self._onchip(buffer, source.dtype, box), source.descriptor(box))
        count = self._issue(self.load, "load", operands, needs)
        buffer.holder.write(self.load, count)
        source.read(self.load, count, box)
        return buffer

    def _store(self, index: Index, box: Box, area: _Buffer) -> None:
        target = self.step.output
        needs = dict(area.holder.written)
        merge(needs, target.write_needs(box))
        operands = (target.descriptor(box), self._onchip(area, self.layer.output.dtype, box))
        count = self._issue(self.store, "store", operands, needs)
        area.holder.read(self.store, count)
        self._wrote(index, self.store, count, box)

    def _share(self, source: Source, part: Box, box: Box) -> None:
        """A box of the output that is in place already, as a part of an operand."""
        value = self.step.output.value
        if value is None or not isinstance(source, MemoryTensor) or source.value is None:
            return
        origin, start = (tuple(low for low, _ in b) for b in (box, part))
        self.graph.share(value, SharedBox(source.value, origin, start, _extents(box)))

    def _wrote(self, index: Index, queue: int, count: int, box: Box) -> None:
        """The instruction issued last to a queue wrote a box of the output, of the tile `index`."""
        if self.step.output.value is not None:
            self.queues.part(queue, self.step.output.value, [low for low, _ in box])
        holder = self.step.output.buffer.holder
        assert holder is not None  # the graph emitter opens it before the layer
        holder.write_more(queue, count)
        merge(self.writer.counts.setdefault(index[: self.rank], {}), {queue: count})

    def _onchip(self, buffer: _Buffer, dtype: np.dtype[Any], box: Box) -> TensorDescriptor:
        if not box:
            return dense(Space.L1, buffer.offset, DType.of(dtype), ())
        return channel_padded(
            Space.L1, buffer.offset, DType.of(dtype), _extents(box), self.channel_bytes
        )

    def _source(self, source: Source, box: Box, steps: tuple[int, ...] | None) -> TensorDescriptor:
        if isinstance(source, MemoryTensor):
            return source.descriptor(box, steps)
        part = source.array[_slices(box, steps)]
        key = (id(source), box)
        if key not in self.constants:
            self.constants[key] = self.program.constant(part)
        return dense(Space.CONSTANT, self.constants[key], DType.of(part.dtype), part.shape)

    @staticmethod
    def _source_needs(source: Source, box: Box) -> Needs:
        return source.needs(box) if isinstance(source, MemoryTensor) else {}


_ALIGNMENT = 64
"""Constants of one load follow each other at multiples of it, in DDR and on chip."""


def layer_grid(step: ScheduledLayer) -> TileGrid:
    """The tiles of a scheduled layer."""
    tiling = step.tiling
    return TileGrid(layer_regions(step.layer), tiling.tile, tiling.lead, tiling.outer_axis)


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _extents(box: Box) -> tuple[int, ...]:
    return tuple(high - low for low, high in box)


def _slices(box: Box, steps: tuple[int, ...] | None = None) -> tuple[slice, ...]:
    return tuple(
        slice(low, high, step)
        for (low, high), step in zip(box, steps or (1,) * len(box), strict=True)
    )


def _shift(place: Box, box: Box) -> Box:
    """A box given within a tile, in the tensor that the tile is the box of."""
    return tuple(
        (low + start, high + start) for (low, high), (start, _) in zip(place, box, strict=True)
    )


def _part(tile: TensorDescriptor, place: Sequence[int], shape: tuple[int, ...]) -> TensorDescriptor:
    """The part of a tile at `place`. It owns no padding: its neighbours may lie there."""
    base = tile.base + sum(p * s for p, s in zip(place, tile.strides, strict=True))
    whole = shape[-1] == tile.shape[-1]
    padding = tile.padding_bytes if whole else 0
    return tile._replace(base=base, shape=shape, padding_bytes=padding)

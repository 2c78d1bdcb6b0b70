"""What layers that move and layers that compute have in common while their tiles are written.

Tensors on chip are used where they lie. Of those in DDR, an operand whose box didn't change stays
where it is; with two buffers the next tile's loads run beside the current computation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hbir.backend.codegen.addresses import AddressMap, Holder
from hbir.backend.codegen.queues import Needs, Queues, merge, queue_number
from hbir.backend.codegen.tensors import MemoryTensor, Source, Writer
from hbir.backend.isa.builder import GraphBuilder, ProgramBuilder
from hbir.backend.isa.descriptor import TensorDescriptor, channel_padded, dense
from hbir.backend.isa.enums import DType, Engine, Space
from hbir.backend.layer import Layer
from hbir.backend.march import Machine
from hbir.backend.regions import Box, layer_regions
from hbir.backend.tile_grid import TileGrid
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
class Buffer:
    """One buffer of an area, and the box that it holds now."""

    offset: int
    holder: Holder
    key: tuple[Any, ...] | None = None


@dataclass
class Area:
    """The buffers of an operand, used in turn."""

    buffers: list[Buffer]
    turn: int = 0

    def find(self, key: tuple[Any, ...]) -> Buffer | None:
        """The buffer that holds `key` already."""
        for buffer in self.buffers:
            if buffer.key == key:
                return buffer
        return None

    def next(self, key: tuple[Any, ...]) -> Buffer:
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

    def queue_of(self, opcode: str) -> int:
        """The number of the queue whose engine runs an opcode."""
        return self.queue(Engine[self.machine.engine_of(opcode)])


class LayerRun(ABC):
    """The state of one layer while its tiles are written."""

    def __init__(self, emitter: LayerEmitter, step: ScheduledLayer, grid: TileGrid) -> None:
        self.program = emitter.program
        self.queues = emitter.queues
        self.graph = emitter.graph
        self.step = step
        self.layer = step.layer
        self.grid = grid
        self.areas = {p.operand: self._area(emitter.onchip, p) for p in step.placements}
        self.load, self.store = emitter.queue(Engine.LOAD), emitter.queue(Engine.STORE)
        self.channel_bytes = emitter.machine.memory.channel_align_bytes
        self.rank = len(self.layer.output.shape)
        self.writer = Writer(step.output.origin, grid, partial=step.core_axis is not None)
        step.output.buffer.writers.append(self.writer)

    @staticmethod
    def _area(onchip: AddressMap, placement: Placement) -> Area:
        size = placement.bytes_per_buffer
        return Area([Buffer(o, onchip.take(o, o + size)) for o in placement.offsets])

    def run(self, indices: Iterator[Index]) -> None:
        """Write the instructions of some tiles."""
        for index in indices:
            self.tile(index)

    @abstractmethod
    def tile(self, index: Index) -> None:
        """Write the instructions of one tile."""

    def issue(
        self, queue: int, opcode: str, operands: Sequence[TensorDescriptor], needs: Needs
    ) -> int:
        """Issue an instruction without parameters; how many its queue then has."""
        return self.queues.issue(queue, opcode, operands, needs, layer=self.step.number)

    def store_tile(self, index: Index, box: Box, area: Buffer) -> None:
        """Store a tile of the output from its buffer to DDR."""
        target = self.step.output
        needs = dict(area.holder.written)
        merge(needs, target.write_needs(box))
        operands = (target.descriptor(box), self.onchip(area, self.layer.output.dtype, box))
        count = self.issue(self.store, "store", operands, needs)
        area.holder.read(self.store, count)
        self.wrote(index, self.store, count, box)

    def wrote(self, index: Index, queue: int, count: int, box: Box) -> None:
        """The instruction issued last to a queue wrote a box of the output, of the tile `index`."""
        if self.step.output.value is not None:
            self.queues.part(queue, self.step.output.value, [low for low, _ in box])
        holder = self.step.output.buffer.holder
        assert holder is not None  # the graph emitter opens it before the layer
        holder.write_more(queue, count)
        merge(self.writer.counts.setdefault(index[: self.rank], {}), {queue: count})

    def onchip(self, buffer: Buffer, dtype: np.dtype[Any], box: Box) -> TensorDescriptor:
        """A box of a tensor as it lies in a buffer."""
        if not box:
            return dense(Space.L1, buffer.offset, DType.of(dtype), ())
        return channel_padded(
            Space.L1, buffer.offset, DType.of(dtype), extents(box), self.channel_bytes
        )


def layer_grid(step: ScheduledLayer) -> TileGrid:
    """The tiles of a scheduled layer."""
    tiling = step.tiling
    return TileGrid(layer_regions(step.layer), tiling.tile, tiling.lead, tiling.outer_axis)


def extents(box: Box) -> tuple[int, ...]:
    """The size of a box along each axis."""
    return tuple(high - low for low, high in box)


def slices(box: Box, steps: tuple[int, ...] | None = None) -> tuple[slice, ...]:
    """What takes a box out of an array, every `steps`-th element of it."""
    return tuple(
        slice(low, high, step)
        for (low, high), step in zip(box, steps or (1,) * len(box), strict=True)
    )

"""Layers that only move: their tiles are copies, loads or stores of the operands' boxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from typing_extensions import override

from hbir.backend.codegen.layer_run import (
    Index,
    LayerEmitter,
    LayerRun,
    ScheduledLayer,
    extents,
    slices,
)
from hbir.backend.codegen.queues import Needs, merge
from hbir.backend.codegen.tensors import MemoryTensor, Source
from hbir.backend.isa.descriptor import TensorDescriptor, dense
from hbir.backend.isa.enums import DType, Space
from hbir.backend.isa.program import SharedBox
from hbir.backend.regions import Box
from hbir.backend.tile_grid import TileGrid
from hbir.backend.tile_grid_cost import OUTPUT


class MoveRun(LayerRun):
    """Writes the tiles of a layer that moves elements. What is in place already needs nothing."""

    def __init__(self, emitter: LayerEmitter, step: ScheduledLayer, grid: TileGrid) -> None:
        super().__init__(emitter, step, grid)
        self.copy, self.fill = emitter.queue_of("copy"), emitter.queue_of("fill")
        self.constants: dict[tuple[Any, ...], int] = {}

    @override
    def tile(self, index: Index) -> None:
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
                count = self.issue(self.store, "store", operands, needs)
                source.read(self.store, count, part)
                self.wrote(index, self.store, count, target)

    def _pieces(self, index: Index) -> Iterator[tuple[tuple[Source, Box, tuple[int, ...]], Box]]:
        """Per operand that the tile touches: (source, its box, its steps), place in the tile."""
        for operand, source in enumerate(self.step.inputs):
            box = self.grid.operand_box(operand, index)
            if box is None:
                continue
            steps = self.grid.operand_steps(operand)
            place = self.grid.place(operand, index)
            sizes = (-(-(high - low) // step) for (low, high), step in zip(box, steps, strict=True))
            where = tuple((start, start + n) for start, n in zip(place, sizes, strict=True))
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
            self.wrote(index, self.fill, count, box)
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
            count = self.issue(queue, opcode, (target, origin), needs)
            if isinstance(source, MemoryTensor):
                source.read(queue, count, part)
            self.wrote(index, queue, count, target_box)

    def _move_through_area(self, index: Index, box: Box) -> None:
        area = self.areas[OUTPUT].next((index,))
        tile = self.onchip(area, self.layer.output.dtype, box)
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
            count = self.issue(queue, opcode, (target, origin), needs)
            if filled:
                area.holder.write_more(queue, count)
            else:
                area.holder.write(queue, count)
            filled = True
            if isinstance(source, MemoryTensor):
                source.read(queue, count, part)
        self.store_tile(index, box, area)

    def _needs_fill(self, index: Index, box: Box) -> bool:
        """Whether a tile has elements that its inputs don't cover."""
        if self.layer.kind != "pad":
            return False
        piece = self.grid.operand_box(0, index)
        return piece is None or extents(piece) != extents(box)

    def _share(self, source: Source, part: Box, box: Box) -> None:
        """A box of the output that is in place already, as a part of an operand."""
        value = self.step.output.value
        if value is None or not isinstance(source, MemoryTensor) or source.value is None:
            return
        origin, start = (tuple(low for low, _ in b) for b in (box, part))
        self.graph.share(value, SharedBox(source.value, origin, start, extents(box)))

    def _source(self, source: Source, box: Box, steps: tuple[int, ...] | None) -> TensorDescriptor:
        if isinstance(source, MemoryTensor):
            return source.descriptor(box, steps)
        part = source.array[slices(box, steps)]
        key = (id(source), box)
        if key not in self.constants:
            self.constants[key] = self.program.constant(part)
        return dense(Space.CONSTANT, self.constants[key], DType.of(part.dtype), part.shape)

    @staticmethod
    def _source_needs(source: Source, box: Box) -> Needs:
        return source.needs(box) if isinstance(source, MemoryTensor) else {}


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

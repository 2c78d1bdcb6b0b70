"""Layers that compute: per tile its loads, its computation and its store.

Constants are loaded first, so that they can arrive while the producer of the activations still
runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from typing_extensions import override

from hbir.backend.codegen.addresses import Holder
from hbir.backend.codegen.layer_run import (
    Buffer,
    Index,
    LayerEmitter,
    LayerRun,
    ScheduledLayer,
    extents,
    slices,
)
from hbir.backend.codegen.queues import Needs, merge
from hbir.backend.codegen.tensors import Constant, MemoryTensor
from hbir.backend.isa.descriptor import TensorDescriptor, dense
from hbir.backend.isa.enums import DType, Flag, Space
from hbir.backend.regions import Box
from hbir.backend.tile_grid import TileGrid
from hbir.backend.tile_grid_cost import ACCUMULATOR, OUTPUT, accumulator_itemsize

_ALIGNMENT = 64
"""Constants of one load follow each other at multiples of it, in DDR and on chip."""


class ComputeRun(LayerRun):
    """Writes the tiles of a layer that an engine computes."""

    def __init__(self, emitter: LayerEmitter, step: ScheduledLayer, grid: TileGrid) -> None:
        super().__init__(emitter, step, grid)
        self.engine = emitter.queue_of(self.layer.opcode)
        self.constants = [i for i, s in enumerate(step.inputs) if isinstance(s, Constant)]

    @override
    def tile(self, index: Index) -> None:
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
            operands[operand] = self.onchip(buffer, source.dtype, part)
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
            self.store_tile(index, box, area)
        elif last:
            self.wrote(index, self.engine, count, box)

    def _written(
        self, box: Box, last: bool, needs: Needs
    ) -> tuple[list[TensorDescriptor | None], list[Holder], Buffer | None]:
        """The written operands, the holders of areas among them, and the output's area."""
        descriptors: list[TensorDescriptor | None] = [None]
        writes: list[Holder] = []
        area: Buffer | None = None
        if last and self.step.output.buffer.on_chip:
            descriptors = [self.step.output.descriptor(box)]
            merge(needs, self.step.output.write_needs(box))
        elif last:
            area = self.areas[OUTPUT].next((box,))
            descriptors = [self.onchip(area, self.layer.output.dtype, box)]
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
        return self.onchip(area.buffers[0], dtype, box)

    def _params(self, index: Index) -> dict[str, Any]:
        params = self.grid.params(index)
        params.pop("dtype", None)
        return params

    def _reduction_ends(self, index: Index) -> tuple[bool, bool]:
        axis = self.grid.regions.reduction_axis
        if axis is None:
            return True, True
        return index[axis] == 0, index[axis] == self.grid.counts[axis] - 1

    def _load_constants(
        self,
        index: Index,
        operands: list[TensorDescriptor | None],
        needs: Needs,
        used: list[Holder],
    ) -> None:
        """Constants of a tile; those that aren't there yet and lie side by side in one load."""
        missing: list[tuple[Buffer, np.ndarray[Any, Any]]] = []
        buffers: list[Buffer] = []
        for operand in self.constants:
            source = self.step.inputs[operand]
            assert isinstance(source, Constant)
            box = self.grid.operand_box(operand, index)
            assert box is not None
            area = self.areas[operand]
            buffer = area.find(box)
            if buffer is None:
                buffer = area.next(box)
                missing.append((buffer, source.array[slices(box)]))
            buffers.append(buffer)
            dtype = DType.of(source.array.dtype)
            operands[operand] = dense(Space.L1, buffer.offset, dtype, extents(box))
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

    def _load_bundle(self, bundle: list[tuple[Buffer, np.ndarray[Any, Any]]]) -> None:
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
        count = self.issue(self.load, "load", operands, needs)
        for buffer, _ in bundle:
            buffer.holder.write(self.load, count)

    def _load_tile(self, operand: int, source: MemoryTensor, box: Box) -> Buffer:
        """The buffer that holds an operand's box, loaded unless it is there already."""
        area = self.areas[operand]
        buffer = area.find(box)
        if buffer is not None:
            return buffer
        buffer = area.next(box)
        needs = dict(buffer.holder.accessed)
        merge(needs, source.needs(box))
        operands = (self.onchip(buffer, source.dtype, box), source.descriptor(box))
        count = self.issue(self.load, "load", operands, needs)
        buffer.holder.write(self.load, count)
        source.read(self.load, count, box)
        return buffer


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT

"""Tensors in memory, as the layers of a graph see them: DDR, or on chip as whole or line buffer.

A buffer is a piece of memory that one tensor owns while it is alive; a tensor may be a box of a
buffer (an operand of a concat, the result of a slice), and several layers may each write a part.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from hbir.backend.codegen.addresses import Holder
from hbir.backend.codegen.queues import Needs, merge
from hbir.backend.isa.descriptor import RING_AXIS, TensorDescriptor, dense_strides
from hbir.backend.isa.enums import DType, Space
from hbir.backend.regions import Box
from hbir.backend.tile_grid import TileGrid


@dataclass
class Writer:
    """A layer that writes a box of a buffer: where the box starts, its tiles, and their tokens."""

    origin: tuple[int, ...]
    grid: TileGrid
    counts: dict[tuple[int, ...], Needs] = field(default_factory=dict[tuple[int, ...], Needs])
    """Output tile index → the instructions that completed it; none where it was in place."""
    partial: bool = False
    """Whether other cores write other tiles: then the latest tile says nothing of the others."""

    def needs(self, box: Box, needs: Needs) -> None:
        """Add what a reader of `box`, in the buffer's coordinates, waits for."""
        touched: list[range] = []
        shape = self.grid.layer.output.shape
        for axis, ((low, high), start, extent) in enumerate(
            zip(box, self.origin, shape, strict=True)
        ):
            low, high = max(low - start, 0), min(high - start, extent)
            if high <= low:
                return
            last = self.grid.tile_of(axis, high - 1)
            first = self.grid.tile_of(axis, low) if self.partial else last
            touched.append(range(first, last + 1))
        # Tiles are issued in loop order, so the last one along every axis is the latest.
        for index in product(*touched):
            merge(needs, self.counts.get(index, {}))


@dataclass
class Buffer:
    """Bytes of a memory that one tensor (and its views) own while they are alive.

    ring_rows: 0, or the rows of a line buffer (axis 1 wraps).
    """

    space: Space
    base: int
    size_bytes: int
    port: int = 0
    ring_rows: int = 0
    holder: Holder | None = None
    """Accesses in the function call that is being written; None before the first."""
    writers: list[Writer] = field(default_factory=list[Writer])
    """Layers that have written into it in this function call."""
    _reads: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    """Of a line buffer: (lowest row, queue, count) of reads of rows that nobody overwrote yet."""
    _overwritten: Needs = field(default_factory=dict[int, int])

    @property
    def on_chip(self) -> bool:
        """Whether it lies in L1, where engines read and write it; L2 is reached like DDR."""
        return self.space is Space.L1

    def reset(self) -> None:
        """A new function call: all that was written before is complete."""
        self.holder = None
        self.writers, self._reads, self._overwritten = [], [], {}

    def read(self, queue: int, count: int, box: Box) -> None:
        """An instruction reads `box`."""
        if self.holder is None:
            return
        self.holder.read(queue, count)
        if self.ring_rows:
            self._reads.append((box[RING_AXIS][0], queue, count))

    def write_needs(self, box: Box) -> Needs:
        """What a write of `box` waits for: earlier owners, and readers of the rows it replaces."""
        assert self.holder is not None  # the graph emitter opens it before the layer
        needs = dict(self.holder.earlier)
        if not self.ring_rows:
            return needs
        replaced = box[RING_AXIS][1] - self.ring_rows
        kept: list[tuple[int, int, int]] = []
        for entry in self._reads:
            low, queue, count = entry
            if low >= replaced:
                kept.append(entry)
            elif count > self._overwritten.get(queue, 0):
                self._overwritten[queue] = count
        self._reads = kept
        merge(needs, self._overwritten)
        return needs


@dataclass(frozen=True)
class MemoryTensor:
    """A tensor in a buffer: all of it, a box of it, or a view of all of it under another shape."""

    buffer: Buffer
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    strides: tuple[int, ...]
    """Bytes from element to element along each axis."""
    origin: tuple[int, ...]
    """Where it starts in the buffer's coordinates."""
    padding_bytes: int = 0
    """Bytes behind its last channel that a write of that channel leaves undefined."""
    is_view: bool = False
    """Whether its axes aren't those of the layers that write it."""
    value: int | None = None
    """Its number among the graph's values; None for what needn't be found again."""

    @staticmethod
    def dense(
        buffer: Buffer, shape: tuple[int, ...], dtype: np.dtype[Any], is_view: bool = False
    ) -> MemoryTensor:
        """A tensor without padding, as in DDR."""
        strides = dense_strides(shape, dtype.itemsize)
        return MemoryTensor(buffer, shape, dtype, strides, (0,) * len(shape), is_view=is_view)

    def box(self, box: Box) -> Box:
        """A box of the tensor in the buffer's coordinates."""
        if not any(self.origin):
            return box
        return tuple(
            (low + start, high + start) for (low, high), start in zip(box, self.origin, strict=True)
        )

    def descriptor(self, box: Box, steps: tuple[int, ...] | None = None) -> TensorDescriptor:
        """The operand that holds `box` (with gaps of `steps`)."""
        strides = self.strides
        ring = self.buffer.ring_rows
        base = self.buffer.base
        shape: list[int] = []
        start = 0
        for axis, ((low, high), first, stride) in enumerate(
            zip(box, self.origin, strides, strict=True)
        ):
            if ring and axis == RING_AXIS:
                start = (low + first) % ring
            else:
                base += (low + first) * stride
            shape.append(high - low)
        padding = self.padding_bytes if box and box[-1][1] == self.shape[-1] else 0
        if steps is not None and any(step > 1 for step in steps):
            shape = [-(-extent // step) for extent, step in zip(shape, steps, strict=True)]
            strides = tuple(s * step for s, step in zip(strides, steps, strict=True))
            padding = 0
        return TensorDescriptor(
            self.buffer.space, base, DType.of(self.dtype), tuple(shape), strides,
            self.buffer.port, ring, start, padding,
        )  # fmt: skip

    def read(self, queue: int, count: int, box: Box) -> None:
        """An instruction reads `box`."""
        self.buffer.read(queue, count, self.box(box))

    def write_needs(self, box: Box) -> Needs:
        """What a write of `box` waits for."""
        return self.buffer.write_needs(self.box(box))

    def needs(self, box: Box) -> Needs:
        """What a reader of `box` waits for: the tiles that it touches."""
        if self.buffer.holder is None:
            return {}
        if self.is_view:
            return dict(self.buffer.holder.written)
        needs: Needs = {}
        inner = self.box(box)
        for writer in self.buffer.writers:
            writer.needs(inner, needs)
        return needs


@dataclass(frozen=True)
class Constant:
    """A constant operand; code generation packs it in tile order."""

    array: np.ndarray[Any, Any]


Source = MemoryTensor | Constant

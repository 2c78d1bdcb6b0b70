"""Tensors in DDR, as the layers of a graph see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hbir.backend.codegen.addresses import Holder
from hbir.backend.codegen.queues import Needs
from hbir.backend.isa.descriptor import TensorDescriptor, dense_strides
from hbir.backend.isa.enums import DType, Engine, Space
from hbir.backend.regions import Box
from hbir.backend.tile_grid import TileGrid


@dataclass
class DdrBuffer:
    """Bytes of a DDR space that one tensor (and its views) own while the graph runs."""

    space: Space
    base: int
    size_bytes: int
    port: int = 0
    holder: Holder | None = None
    """Accesses in the function call that is being written; None before the first."""
    grid: TileGrid | None = None
    """The tiles that were stored into it in this function call."""
    stored: dict[tuple[int, ...], int] = field(default_factory=dict[tuple[int, ...], int])
    """Output tile index → STORE count."""

    def reset(self) -> None:
        """A new function call: all that was written before is complete."""
        self.holder, self.grid = None, None
        self.stored = {}


@dataclass(frozen=True)
class DdrTensor:
    """A dense tensor in a buffer; a view when its shape isn't that of the layer that wrote it."""

    buffer: DdrBuffer
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def descriptor(self, box: Box, steps: tuple[int, ...] | None = None) -> TensorDescriptor:
        """The operand that holds `box` (with gaps of `steps`)."""
        dtype = DType.of(self.dtype)
        strides = dense_strides(self.shape, dtype.itemsize)
        base = self.buffer.base
        shape: list[int] = []
        for (low, high), stride in zip(box, strides, strict=True):
            base += low * stride
            shape.append(high - low)
        if steps is not None and any(step > 1 for step in steps):
            shape = [-(-extent // step) for extent, step in zip(shape, steps, strict=True)]
            strides = tuple(s * step for s, step in zip(strides, steps, strict=True))
        return TensorDescriptor(
            self.buffer.space, base, dtype, tuple(shape), strides, self.buffer.port
        )

    def needs(self, box: Box) -> Needs:
        """What a LOAD of `box` waits for: the stores of the tiles that it touches."""
        grid = self.buffer.grid
        if grid is None or self.buffer.holder is None:
            return {}
        if grid.layer.output.shape != self.shape:
            return self.buffer.holder.written
        # Stores are issued in loop order, so the last tile along every axis is the latest.
        index = tuple((high - 1) // t for (_, high), t in zip(box, grid.tile, strict=False))
        return {Engine.STORE: self.buffer.stored[index]}


@dataclass(frozen=True)
class Constant:
    """A constant operand; code generation packs it in tile order."""

    array: np.ndarray[Any, Any]


Source = DdrTensor | Constant

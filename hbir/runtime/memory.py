"""The modelled machine's memories, and operands as NumPy views of them.

A view is made by NumPy's buffer constructor, which refuses what lies outside the memory, so that
no descriptor, however hostile, reaches other bytes of the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hbir.backend.isa.descriptor import RING_AXIS, TensorDescriptor
from hbir.backend.isa.enums import ON_CHIP, SPACE_NAMES, DType, Space
from hbir.backend.isa.program import Graph, Program
from hbir.errors import HbirError

POISON = 0xA5
"""What undefined bytes hold: as si8 -91, far from zero, so that using one shows."""

MAX_WORKSPACE_BYTES = 1 << 34

Array = np.ndarray[Any, Any]
MemoryKey = tuple[Space, int]
"""A space and, for L1, the core; for INPUT and OUTPUT, the port."""


class AddressError(HbirError):
    """An operand outside its memory."""


def memory_key(descriptor: TensorDescriptor, core: int) -> MemoryKey:
    """The memory that a descriptor means when an instruction of `core` uses it."""
    if descriptor.space is Space.L1:
        return (Space.L1, core)
    if descriptor.space in (Space.INPUT, Space.OUTPUT):
        return (descriptor.space, descriptor.port)
    return (descriptor.space, 0)


def memory_name(key: MemoryKey) -> str:
    """`L1 of core 0`, `input 1`: what messages call a memory."""
    space, number = key
    if space is Space.L1:
        return f"L1 of core {number}"
    if space in (Space.INPUT, Space.OUTPUT):
        return f"{SPACE_NAMES[space]} {number}"
    return SPACE_NAMES[space]


def memory_sizes(program: Program, graph: Graph) -> dict[MemoryKey, int]:
    """The bytes of every memory that a graph's instructions may use."""
    if graph.workspace_bytes > MAX_WORKSPACE_BYTES:
        raise HbirError(
            f"graph {graph.name!r} asks for {graph.workspace_bytes} bytes of workspace; the limit"
            f" is {MAX_WORKSPACE_BYTES}"
        )
    sizes: dict[MemoryKey, int] = {
        (Space.L2, 0): program.l2_bytes,
        (Space.CONSTANT, 0): len(program.constants),
        (Space.WORKSPACE, 0): graph.workspace_bytes,
    }
    for core in range(program.cores):
        sizes[Space.L1, core] = program.l1_bytes
    for port, tensor in enumerate(graph.inputs):
        sizes[Space.INPUT, port] = tensor.buffer_bytes
    for port, tensor in enumerate(graph.outputs):
        sizes[Space.OUTPUT, port] = tensor.buffer_bytes
    return sizes


def is_open(graph: Graph, descriptor: TensorDescriptor) -> bool:
    """Whether an operand is an input whose extents each run gives: no memory of the program's."""
    inputs, port = graph.inputs, descriptor.port
    return descriptor.space is Space.INPUT and port < len(inputs) and bool(inputs[port].open_axes)


def straight_pieces(descriptor: TensorDescriptor) -> list[tuple[int, TensorDescriptor]]:
    """(first row, operand without a ring) of the parts that a line buffer's wrap cuts it into."""
    if not descriptor.ring_rows:
        return [(0, descriptor)]
    pieces: list[tuple[int, TensorDescriptor]] = []
    rows, step = descriptor.shape[RING_AXIS], descriptor.strides[RING_AXIS]
    before_wrap = min(rows, descriptor.ring_rows - descriptor.ring_start)
    spans = [(0, before_wrap, descriptor.ring_start), (before_wrap, rows - before_wrap, 0)]
    for first, count, slot in spans:
        if not count:
            continue
        shape = list(descriptor.shape)
        shape[RING_AXIS] = count
        piece = descriptor._replace(
            base=descriptor.base + slot * step, shape=tuple(shape), ring_rows=0, ring_start=0
        )
        pieces.append((first, piece))
    return pieces


class Memories:
    """The bytes of all memories of one graph."""

    def __init__(self, program: Program, graph: Graph) -> None:
        self.buffers: dict[MemoryKey, Array] = {}
        for key, size in memory_sizes(program, graph).items():
            if key[0] is Space.CONSTANT:
                self.buffers[key] = np.frombuffer(program.constants, np.uint8)
                continue
            try:
                self.buffers[key] = np.empty(size, np.uint8)
            except (MemoryError, ValueError):
                raise HbirError(
                    f"graph {graph.name!r}: no memory for {size} bytes of {memory_name(key)}"
                ) from None

    def poison(self, spaces: Sequence[Space]) -> None:
        """Make all bytes of some spaces undefined."""
        for (space, _), buffer in self.buffers.items():
            if space in spaces:
                buffer.fill(POISON)

    def poison_on_chip(self) -> None:
        """What happens between function calls."""
        self.poison(ON_CHIP)

    def view(self, descriptor: TensorDescriptor, core: int) -> Array:
        """An operand without a ring, as a view. Raises AddressError when it isn't inside."""
        key = memory_key(descriptor, core)
        buffer = self.buffers.get(key)
        if buffer is None:
            raise AddressError(f"there is no {memory_name(key)}")
        return strided_view(buffer, descriptor, key)


def padding_descriptor(descriptor: TensorDescriptor) -> TensorDescriptor | None:
    """The padding bytes of an operand without a ring, as an operand of bytes."""
    if not descriptor.padding_bytes or not descriptor.shape:
        return None
    return descriptor._replace(
        base=descriptor.base + descriptor.shape[-1] * descriptor.dtype.itemsize,
        dtype=DType.UI8,
        shape=(*descriptor.shape[:-1], descriptor.padding_bytes),
        strides=(*descriptor.strides[:-1], 1),
        padding_bytes=0,
    )


def strided_view(buffer: Array, descriptor: TensorDescriptor, key: MemoryKey) -> Array:
    """A view of `buffer` as the descriptor says. Raises AddressError when it isn't inside."""
    dtype, shape, strides = descriptor.dtype.numpy, descriptor.shape, descriptor.strides
    try:
        return np.ndarray(shape, dtype, buffer.data, descriptor.base, strides)
    except (ValueError, TypeError, OverflowError, MemoryError):
        last = descriptor.base + dtype.itemsize
        last += sum((d - 1) * s for d, s in zip(shape, strides, strict=True))
        raise AddressError(
            f"bytes {descriptor.base}..{last} are outside {memory_name(key)}, which has"
            f" {buffer.nbytes}"
        ) from None

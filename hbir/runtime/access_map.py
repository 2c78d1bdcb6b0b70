"""Who wrote and who read which bytes of a memory: `AccessMap`, cell by cell.

A cell is the greatest number of bytes that divides every base, stride and run of a memory, so what
is judged by a map is exact to the byte while maps stay small.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hbir.backend.isa.descriptor import TensorDescriptor
from hbir.backend.isa.enums import ON_CHIP, DType, Space
from hbir.backend.isa.program import ABSENT, CpuSegment, Graph, Program, Tensor
from hbir.errors import HbirError
from hbir.runtime.memory import (
    AddressError,
    Array,
    MemoryKey,
    is_open,
    memory_key,
    memory_name,
    memory_sizes,
    straight_pieces,
)

UNWRITTEN = -1
BEFORE = 0
"""Access number of what happened before the graph started; instructions count from 1."""

READ_ONLY = (Space.CONSTANT, Space.INPUT)
UNTRACKED = (Space.CONSTANT,)
"""Whole from the start and never written: nothing to track but the bounds."""


@dataclass
class AccessMap:
    """The cells of one memory."""

    key: MemoryKey
    cell_bytes: int
    writer: Array
    """int32 per cell: number of the access that wrote it last; UNWRITTEN; or, where that access
    left it as padding, -2 - number."""
    readers: dict[int, Array] = field(default_factory=dict[int, Array])
    """Queue → int32 per cell: number of that queue's last access that read it."""
    last_read: dict[int, int] = field(default_factory=dict[int, int])
    last_write: dict[int, int] = field(default_factory=dict[int, int])
    """Queue → position of its last access to this memory in the running function call."""

    def start_call(self) -> None:
        """All accesses so far are complete, and on-chip contents are gone."""
        self.readers.clear()
        self.last_read.clear()
        self.last_write.clear()
        if self.key[0] in ON_CHIP:
            self.writer.fill(UNWRITTEN)

    def cells(self, array: Array, descriptor: TensorDescriptor) -> Array:
        """The cells of a descriptor without a ring, of a map of this memory."""
        cell = self.cell_bytes
        shape, strides = [*descriptor.shape], [*descriptor.strides]
        run = descriptor.dtype.itemsize
        while shape and (shape[-1] == 1 or strides[-1] == run):
            run *= shape.pop()
            strides.pop()
        view = np.ndarray(
            (*shape, run // cell),
            array.dtype,
            array.data,
            descriptor.base // cell * array.itemsize,
            (*(stride // cell * array.itemsize for stride in strides), array.itemsize),
        )
        return view

    def byte_range(self, piece: TensorDescriptor, cell: int) -> tuple[int, int]:
        """The bytes of a cell, given by its index among the cells of an operand."""
        numbers = np.arange(len(self.writer), dtype=np.int64)
        number = int(self.cells(numbers, piece).reshape(-1)[cell])
        return number * self.cell_bytes, (number + 1) * self.cell_bytes


def access_maps(
    program: Program, graph: Graph, descriptors: Sequence[TensorDescriptor]
) -> dict[MemoryKey, AccessMap]:
    """A map per memory of a graph that can be written, with cells as large as all accesses allow.

    Raises AddressError for an operand that reaches beyond its memory.
    """
    sizes = memory_sizes(program, graph)
    cell_bytes: dict[MemoryKey, int] = {}
    seen: set[tuple[MemoryKey, TensorDescriptor]] = set()
    for core, descriptor, where in _operands(graph, descriptors):
        key = memory_key(descriptor, core)
        if (key, descriptor) in seen:
            continue
        seen.add((key, descriptor))
        if is_open(graph, descriptor):
            continue
        _check_range(sizes, key, descriptor, f"graph {graph.name!r}: {where}")
        cell_bytes[key] = math.gcd(cell_bytes.get(key, 0), _granule(descriptor))
    ports = [((Space.INPUT, port), tensor) for port, tensor in whole_inputs(graph)]
    ports += [((Space.OUTPUT, port), tensor) for port, tensor in enumerate(graph.outputs)]
    for key, tensor in ports:
        granule = _granule(tensor_descriptor(key, tensor))
        cell_bytes[key] = math.gcd(cell_bytes.get(key, 0), granule)
    return {
        key: AccessMap(key, cell, _unwritten(sizes[key] // cell + 1))
        for key, cell in cell_bytes.items()
        if key[0] not in UNTRACKED
    }


def whole_inputs(graph: Graph) -> list[tuple[int, Tensor]]:
    """The inputs, by port, that lie in a memory of the program's.

    Those whose extents each run gives are whole, and what reads them stays inside.
    """
    return [(port, tensor) for port, tensor in enumerate(graph.inputs) if not tensor.open_axes]


def _unwritten(cells: int) -> Array:
    try:
        return np.full(cells, UNWRITTEN, np.int32)
    except MemoryError:
        raise HbirError(f"no memory to check {cells} cells") from None


def _operands(
    graph: Graph, descriptors: Sequence[TensorDescriptor]
) -> Iterator[tuple[int, TensorDescriptor, str]]:
    """Core, operand, and whose it is, for messages."""
    for segment in graph.segments:
        if isinstance(segment, CpuSegment):
            for number in (*segment.inputs, *segment.outputs):
                yield 0, descriptors[number], f"CPU call {segment.signature}"
            continue
        for call in segment.calls:
            for (core, engine), queue in call.queues.items():
                numbers = np.unique(queue["operands"])
                numbers = numbers[numbers != ABSENT].tolist()
                yield from ((core, descriptors[n], f"core {core} {engine.name}") for n in numbers)


def _check_range(
    sizes: Mapping[MemoryKey, int], key: MemoryKey, descriptor: TensorDescriptor, where: str
) -> None:
    size = sizes.get(key)
    if size is None:
        raise AddressError(f"{where} uses {memory_name(key)}, which isn't there")
    for _, piece in straight_pieces(descriptor):
        extents = zip(piece.shape, piece.strides, strict=True)
        last = piece.base + piece.dtype.itemsize + sum((d - 1) * s for d, s in extents)
        last += piece.padding_bytes
        if last > size:
            raise AddressError(
                f"{where} uses bytes {piece.base}..{last} of {memory_name(key)}, which has {size}"
            )


def _granule(descriptor: TensorDescriptor) -> int:
    """The most bytes that divide base, strides, contiguous run and padding of an operand."""
    shape, strides = [*descriptor.shape], [*descriptor.strides]
    run = descriptor.dtype.itemsize
    while shape and (shape[-1] == 1 or strides[-1] == run):
        run *= shape.pop()
        strides.pop()
    return math.gcd(
        run,
        descriptor.base,
        descriptor.padding_bytes,
        descriptor.strides[1] if descriptor.ring_rows else 0,
        *_significant(shape, strides),
        _padding_run(descriptor),
    )


def _significant(shape: Sequence[int], strides: Sequence[int]) -> list[int]:
    return [stride for extent, stride in zip(shape, strides, strict=True) if extent > 1]


def _padding_run(descriptor: TensorDescriptor) -> int:
    """Where padding is written apart from the data, both must be whole cells."""
    if not descriptor.padding_bytes or not descriptor.shape:
        return 0
    return descriptor.shape[-1] * descriptor.dtype.itemsize


def tensor_descriptor(key: MemoryKey, tensor: Tensor) -> TensorDescriptor:
    """An input or output as an operand (of any rank)."""
    space, port = key
    dtype: DType = tensor.dtype
    return TensorDescriptor(space, 0, dtype, tensor.shape, tensor.strides, port)

"""A compiled program in memory: what the builder makes, the container stores and the machine runs.

A program has graphs; a graph runs its segments in order; a segment is one CPU call or the function
calls of a BPU run; a function call has one queue per (core, engine). Queues are record arrays over
three tables that all graphs share: descriptors, parameter words and waits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hbir.backend.isa.descriptor import TensorDescriptor, decode_descriptors, dense_strides
from hbir.backend.isa.enums import DType, Engine
from hbir.backend.isa.table import MAX_OPERANDS, MAX_RANK

ABSENT = 0xFFFFFFFF
"""Descriptor number of an absent operand."""

OPEN = -1
"""A stride that depends on an extent which each run gives."""

INSTRUCTION_DTYPE = np.dtype(
    [
        ("opcode", "<u2"),
        ("flags", "<u2"),
        ("layer", "<u4"),
        ("operands", "<u4", (MAX_OPERANDS,)),
        ("parameters", "<u4"),
        ("waits", "<u4"),
        ("wait_count", "<u4"),
    ]
)
"""One instruction. `operands` number descriptors; `parameters` and `waits` are the first word and
the first wait in their tables."""

WAIT_DTYPE = np.dtype([("core", "<u2"), ("engine", "<u2"), ("count", "<u4")])
"""Wait until the queue (core, engine) has completed `count` instructions of this function call."""

PART_DTYPE = np.dtype([("position", "<u4"), ("value", "<u4"), ("origin", "<u4", (MAX_RANK,))])
"""Instruction number `position` of a queue writes the box of a value that starts at `origin` and
has the shape of its output operand."""

NO_VALUE = 0xFFFFFFFF
"""Number of the value of a result that has none."""

Records = np.ndarray[Any, Any]
QueueKey = tuple[int, Engine]


@dataclass(frozen=True)
class Tensor:
    """A graph input or output: what the user sees, and how it lies in its DDR buffer."""

    name: str
    dtype: DType
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    description: str = ""
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    channel_axis: int | None = None
    open_axes: tuple[int, ...] = ()
    """Axes whose extents each run gives, of an input; `shape` holds their maxima, and strides that
    depend on them are OPEN."""
    row_align_bytes: int = 1
    """What an open stride is rounded up to."""

    @staticmethod
    def open(
        name: str,
        dtype: DType,
        shape: tuple[int, ...],
        axes: tuple[int, ...],
        row_align_bytes: int,
        description: str = "",
    ) -> Tensor:
        """An input whose `axes` are open up to `shape`."""
        inner = dense_strides(shape, dtype.itemsize)[axes[-1] :]
        strides = (OPEN,) * axes[-1] + inner
        return Tensor(
            name, dtype, shape, strides, description,
            open_axes=axes, row_align_bytes=row_align_bytes,
        )  # fmt: skip

    def run_strides(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The strides of a run in which the tensor has this shape."""
        strides = list(self.strides)
        for axis in reversed(range(len(strides))):
            if strides[axis] == OPEN:
                dense = strides[axis + 1] * shape[axis + 1]
                strides[axis] = -(-dense // self.row_align_bytes) * self.row_align_bytes
        return tuple(strides)

    @staticmethod
    def dense(name: str, dtype: DType, shape: tuple[int, ...], description: str = "") -> Tensor:
        """A tensor without padding."""
        return Tensor(name, dtype, shape, dense_strides(shape, dtype.itemsize), description)

    @property
    def buffer_bytes(self) -> int:
        """Bytes of its DDR buffer, up to the end of its last padded row; 0 where each run brings
        its own."""
        if self.open_axes:
            return 0
        if not self.shape:
            return self.dtype.itemsize
        return self.shape[0] * self.strides[0]


@dataclass(frozen=True)
class Layer:
    """An entry of the debug table: what instructions with this number compute."""

    name: str
    kind: str = ""
    operations: int = 0
    """Arithmetic operations of the whole layer, 2 per multiply-accumulate."""
    mac_type: str = ""
    """"int8", "int16", "int16 x int8" (feature x weight) or "int8 x int16"; empty without MACs."""
    origin_ops: tuple[str, ...] = ()
    """Source nodes that the layer was made of."""


@dataclass(frozen=True)
class SharedBox:
    """A box of a value that lies where another value has it: no instruction makes it."""

    value: int
    """The other value."""
    origin: tuple[int, ...]
    """Where the box starts in this value."""
    source: tuple[int, ...]
    """Where it starts in the other."""
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Value:
    """A tensor on the way from inputs to outputs, by the user's name: of the debug table.

    Numbers of values start with the graph's inputs: number n of a graph with k inputs is
    `values[n - k]`. What it holds is made by instructions (a function call's `parts`), or lies in
    values before it: `shared`, or all of `view_of` under another shape.
    """

    name: str
    """Empty for one that only others refer to."""
    dtype: DType
    shape: tuple[int, ...]
    perm: tuple[int, ...] = ()
    """Axis i is axis perm[i] of the user's tensor; empty where they are the same."""
    scale: float | None = None
    zero_point: int = 0
    view_of: int | None = None
    shared: tuple[SharedBox, ...] = ()


@dataclass(frozen=True, eq=False)
class FunctionCall:
    """Queues that run concurrently; nothing on chip and no token outlives the call."""

    queues: Mapping[QueueKey, Records]
    """Instructions by (core, engine), in order; queues without instructions are left out."""
    parts: Mapping[QueueKey, Records] = field(default_factory=dict[QueueKey, Records])
    """Debug information: which of them write parts of values, in order."""


@dataclass(frozen=True, eq=False)
class BpuSegment:
    """Function calls that run one after another on the BPU."""

    calls: tuple[FunctionCall, ...]


@dataclass(frozen=True, eq=False)
class CpuSegment:
    """One op on the CPU, between BPU segments: `hbtl.call`."""

    signature: str
    parameters: Mapping[str, Any]
    inputs: tuple[int, ...]
    """Descriptor numbers, all in DDR."""
    outputs: tuple[int, ...]
    layer: int
    reason: str = ""
    values: tuple[int, ...] = ()
    """By output the number of its value, or NO_VALUE; empty where nothing is known."""


Segment = BpuSegment | CpuSegment


@dataclass(frozen=True, eq=False)
class Graph:
    """One model of the program."""

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    segments: tuple[Segment, ...]
    layers: tuple[Layer, ...]
    workspace_bytes: int = 0
    description: str = ""
    values: tuple[Value, ...] = ()

    @property
    def io_bytes(self) -> int:
        """Bytes of the DDR buffers of its inputs and outputs."""
        return sum(tensor.buffer_bytes for tensor in (*self.inputs, *self.outputs))

    def calls(self) -> Iterator[FunctionCall]:
        """Its function calls in order."""
        for segment in self.segments:
            if isinstance(segment, BpuSegment):
                yield from segment.calls


@dataclass(frozen=True, eq=False)
class Program:
    """A whole .hbm file."""

    march: str
    cores: int
    l1_bytes: int
    l2_bytes: int
    constants: memoryview
    descriptors: Records
    parameters: Records
    waits: Records
    graphs: tuple[Graph, ...]
    information: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Compiler version, options, `static_performance_us` and the like; JSON values only."""

    def decoded_descriptors(self) -> list[TensorDescriptor]:
        """The descriptor table as descriptors."""
        return decode_descriptors(self.descriptors)

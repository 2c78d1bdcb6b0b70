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
from hbir.backend.isa.table import MAX_OPERANDS

ABSENT = 0xFFFFFFFF
"""Descriptor number of an absent operand."""

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

    @staticmethod
    def dense(name: str, dtype: DType, shape: tuple[int, ...], description: str = "") -> Tensor:
        """A tensor without padding."""
        return Tensor(name, dtype, shape, dense_strides(shape, dtype.itemsize), description)

    @property
    def buffer_bytes(self) -> int:
        """Bytes of its DDR buffer: up to the end of its last padded row."""
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


@dataclass(frozen=True, eq=False)
class FunctionCall:
    """Queues that run concurrently; nothing on chip and no token outlives the call."""

    queues: Mapping[QueueKey, Records]
    """Instructions by (core, engine), in order; queues without instructions are left out."""

    @property
    def instruction_count(self) -> int:
        """Instructions of all queues."""
        return sum(len(queue) for queue in self.queues.values())


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

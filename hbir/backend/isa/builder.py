"""`ProgramBuilder`: how code generation writes a program, instruction by instruction.

    builder = ProgramBuilder("nash-e", cores=1, l1_bytes=..., l2_bytes=0)
    weights = builder.constant(array)                    # offset in Space.CONSTANT
    graph = builder.graph("main")
    graph.input(Tensor.dense("image", DType.F32, (1, 3, 224, 224)))
    conv1 = graph.layer("conv1", kind="conv2d", operations=...)
    call = graph.function_call()
    loaded = call.append(0, Engine.LOAD, "load", (on_chip, in_ddr), layer=conv1)
    call.append(0, Engine.TAE, "conv2d", (out, None, x, w, qpp, None), params=op.params(),
                waits={(0, Engine.LOAD): loaded}, layer=conv1)
    graph.cpu_call("onnx::Einsum", {...}, inputs, outputs, layer=...)
    program = builder.finish()

Appending costs some microseconds: descriptors, parameters and waits are kept once per distinct
value, and become record arrays in `finish`, numbered in the order in which the disassembler prints
them, so that equal programs are equal bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hbir.backend.isa.descriptor import TensorDescriptor, encode_descriptors
from hbir.backend.isa.enums import Engine, Flag
from hbir.backend.isa.program import (
    ABSENT,
    INSTRUCTION_DTYPE,
    PART_DTYPE,
    WAIT_DTYPE,
    BpuSegment,
    CpuSegment,
    FunctionCall,
    Graph,
    Layer,
    Program,
    QueueKey,
    Records,
    Segment,
    SharedBox,
    Tensor,
    Value,
)
from hbir.backend.isa.table import MAX_OPERANDS, MAX_RANK, Instruction, instruction
from hbir.errors import HbirError

CONSTANT_ALIGNMENT_BYTES = 64

Waits = Mapping[QueueKey, int]
Operands = Sequence[TensorDescriptor | None]


@dataclass(frozen=True)
class _Row:
    """An appended instruction, before the tables are numbered."""

    opcode: int
    flags: int
    layer: int
    operands: tuple[TensorDescriptor | None, ...]
    words: tuple[int, ...]
    waits: tuple[tuple[int, int, int], ...]


class FunctionCallBuilder:
    """The queues of one function call."""

    def __init__(self) -> None:
        self.queues: dict[QueueKey, list[_Row]] = {}
        self.parts: dict[QueueKey, list[tuple[int, int, tuple[int, ...]]]] = {}

    def append(
        self,
        core: int,
        engine: Engine,
        opcode: str,
        operands: Operands,
        params: Mapping[str, Any] | None = None,
        waits: Waits | None = None,
        layer: int = 0,
        flags: Flag | None = None,
    ) -> int:
        """Append an instruction to the queue (core, engine); returns the queue's length then.

        That length is the count to wait for when another queue needs this instruction done.
        operands: in the order of the opcode's row, None where absent; trailing ones may be left
        out. params: the kernel's keyword arguments (`dtype` is ignored: the output operand has
        it). waits: queue → completed instructions; those for zero are dropped.
        Raises HbirError when operands, params, flags or engine don't fit the opcode's row.
        """
        row = instruction(opcode)
        if engine not in row.engines:
            names = ", ".join(e.name for e in row.engines)
            raise HbirError(f"{opcode} can't be in queue {engine.name}, only in {names}")
        words = _encoded(row, params) if params else row.encode({})
        given = row.default_flags if flags is None else flags
        if given & ~row.allowed_flags:
            raise HbirError(f"{opcode} doesn't take flags {given!r}")
        tokens = (
            tuple(sorted((c, int(e), n) for (c, e), n in waits.items() if n > 0)) if waits else ()
        )
        queue = self.queues.setdefault((core, engine), [])
        operands = _checked_operands(opcode, row.operands, tuple(operands))
        queue.append(_Row(row.number, int(given), layer, operands, words, tokens))
        return len(queue)

    def part(self, core: int, engine: Engine, value: int, origin: Sequence[int]) -> None:
        """Say of the instruction appended last to a queue which part of a value it writes: the box
        of its output operand's shape that starts at `origin`."""
        place = (*origin, *(0,) * (MAX_RANK - len(origin)))
        position = self.length(core, engine) - 1
        self.parts.setdefault((core, engine), []).append((position, value, place))

    def length(self, core: int, engine: Engine) -> int:
        """Instructions appended to a queue so far."""
        return len(self.queues.get((core, engine), ()))


_ENCODED: dict[tuple[Any, ...], tuple[int, ...]] = {}
_ENCODED_LIMIT = 1 << 16


def _encoded(row: Instruction, params: Mapping[str, Any]) -> tuple[int, ...]:
    """The words of `params`, remembered: tiles of a layer mostly have equal ones."""
    key = (row.number, *params.items())
    try:
        words = _ENCODED.get(key)
    except TypeError:  # a list among the values
        return row.encode({k: v for k, v in params.items() if k != "dtype"})
    if words is None:
        words = row.encode({k: v for k, v in params.items() if k != "dtype"})
        if len(_ENCODED) >= _ENCODED_LIMIT:
            _ENCODED.clear()
        _ENCODED[key] = words
    return words


def _checked_operands(
    opcode: str, names: tuple[str, ...], operands: tuple[TensorDescriptor | None, ...]
) -> tuple[TensorDescriptor | None, ...]:
    if len(operands) > len(names):
        raise HbirError(f"{opcode} takes {len(names)} operands, got {len(operands)}")
    operands += (None,) * (len(names) - len(operands))
    for name, operand in zip(names, operands, strict=True):
        if operand is None and not name.endswith("?"):
            raise HbirError(f"{opcode} needs operand {name}")
    return operands


@dataclass
class _CpuCall:
    signature: str
    parameters: Mapping[str, Any]
    inputs: tuple[TensorDescriptor, ...]
    outputs: tuple[TensorDescriptor, ...]
    layer: int
    reason: str
    values: tuple[int, ...]


@dataclass
class GraphBuilder:
    """One graph: its interface, layers and segments in order."""

    name: str
    description: str = ""
    inputs: list[Tensor] = field(default_factory=list[Tensor])
    outputs: list[Tensor] = field(default_factory=list[Tensor])
    layers: list[Layer] = field(default_factory=list[Layer])
    workspace_bytes: int = 0
    """Set by code generation to the DDR bytes that its intermediates need."""
    segments: list[list[FunctionCallBuilder] | _CpuCall] = field(
        default_factory=list["list[FunctionCallBuilder] | _CpuCall"]
    )
    values: list[Value] = field(default_factory=list[Value])
    shared: dict[int, list[SharedBox]] = field(default_factory=dict[int, list[SharedBox]])
    """By value, its boxes that lie in others."""

    def input(self, tensor: Tensor) -> int:
        """Add an input; returns the `port` of its descriptors in Space.INPUT."""
        self.inputs.append(tensor)
        return len(self.inputs) - 1

    def output(self, tensor: Tensor) -> int:
        """Add an output; returns the `port` of its descriptors in Space.OUTPUT."""
        self.outputs.append(tensor)
        return len(self.outputs) - 1

    def layer(
        self,
        name: str,
        kind: str = "",
        operations: int = 0,
        mac_type: str = "",
        origin_ops: Sequence[str] = (),
    ) -> int:
        """Add an entry to the debug table; returns its number."""
        self.layers.append(Layer(name, kind, operations, mac_type, tuple(origin_ops)))
        return len(self.layers) - 1

    def value(self, value: Value) -> int:
        """Add a value once all inputs are there; returns its number."""
        self.values.append(value)
        return len(self.inputs) + len(self.values) - 1

    def share(self, value: int, box: SharedBox) -> None:
        """Say that a box of a value lies in another; neighbours become one box."""
        boxes = self.shared.setdefault(value, [])
        boxes.append(box)
        while len(boxes) > 1 and (both := _joined(boxes[-2], boxes[-1])) is not None:
            boxes[-2:] = [both]

    def function_call(self) -> FunctionCallBuilder:
        """Start a function call; it continues the BPU segment that is open, or opens one."""
        call = FunctionCallBuilder()
        if self.segments and isinstance(self.segments[-1], list):
            self.segments[-1].append(call)
        else:
            self.segments.append([call])
        return call

    def cpu_call(
        self,
        signature: str,
        parameters: Mapping[str, Any],
        inputs: Sequence[TensorDescriptor],
        outputs: Sequence[TensorDescriptor],
        layer: int = 0,
        reason: str = "",
        values: Sequence[int] = (),
    ) -> None:
        """Add a CPU segment. Operands lie in DDR; parameters are JSON values or NumPy arrays."""
        self.segments.append(
            _CpuCall(
                signature, parameters, tuple(inputs), tuple(outputs), layer, reason, tuple(values)
            )
        )


def _joined(one: SharedBox, other: SharedBox) -> SharedBox | None:
    """Two boxes as one, where the second continues the first along an axis."""
    ends = (one.origin, one.source, one.shape), (other.origin, other.source, other.shape)
    differing = [axis for axis, (a, b) in enumerate(zip(*(zip(*e, strict=True) for e in ends),
                                                        strict=True)) if a != b]  # fmt: skip
    if one.value != other.value or len(differing) != 1:
        return None
    (axis,) = differing
    extent = one.shape[axis]
    continues = (
        other.origin[axis] == one.origin[axis] + extent
        and other.source[axis] == one.source[axis] + extent
    )
    if not continues:
        return None
    shape = (*one.shape[:axis], extent + other.shape[axis], *one.shape[axis + 1 :])
    return replace(one, shape=shape)


class ProgramBuilder:
    """A program under construction."""

    def __init__(
        self,
        march: str,
        *,
        cores: int = 1,
        l1_bytes: int,
        l2_bytes: int = 0,
        information: Mapping[str, Any] | None = None,
    ) -> None:
        self.march = march
        self.cores = cores
        self.l1_bytes = l1_bytes
        self.l2_bytes = l2_bytes
        self.information: dict[str, Any] = dict(information or {})
        self._constants: list[bytes] = []
        self._constant_bytes = 0
        self._constant_at: dict[tuple[int, bytes], int] = {}
        self._graphs: list[GraphBuilder] = []

    def graph(self, name: str, description: str = "") -> GraphBuilder:
        """Add a graph."""
        graph = GraphBuilder(name, description)
        self._graphs.append(graph)
        return graph

    def constant(
        self, data: np.ndarray[Any, Any] | bytes, alignment: int = CONSTANT_ALIGNMENT_BYTES
    ) -> int:
        """Keep bytes (an array's, row-major) in the constants; returns their offset.

        Equal bytes are kept once.
        """
        blob = data if isinstance(data, bytes) else np.ascontiguousarray(data).tobytes()
        key = (alignment, blob)
        if key not in self._constant_at:
            gap = -self._constant_bytes % alignment
            if gap:
                self._constants.append(bytes(gap))
            self._constant_at[key] = self._constant_bytes + gap
            self._constants.append(blob)
            self._constant_bytes += gap + len(blob)
        return self._constant_at[key]

    def set_constants(self, data: bytes) -> None:
        """Take `data` for the whole constants, as the assembler does; offsets are the caller's."""
        self._constants = [data]
        self._constant_bytes = len(data)
        self._constant_at.clear()

    def finish(self) -> Program:
        """The program. Raises HbirError when an operand or a count doesn't fit its record."""
        tables = _Tables()
        graphs = tuple(tables.graph(graph) for graph in self._graphs)
        return Program(
            march=self.march,
            cores=self.cores,
            l1_bytes=self.l1_bytes,
            l2_bytes=self.l2_bytes,
            constants=memoryview(b"".join(self._constants)),
            descriptors=encode_descriptors(list(tables.descriptors)),
            parameters=np.array(tables.words, "<i8"),
            waits=np.array(tables.waits, WAIT_DTYPE),
            graphs=graphs,
            information=self.information,
        )


class _Tables:
    """Numbers descriptors, parameters and waits in the order of their first use."""

    def __init__(self) -> None:
        self.descriptors: dict[TensorDescriptor, int] = {}
        self.words: list[int] = []
        self.waits: list[tuple[int, int, int]] = []
        self._words_at: dict[tuple[int, ...], int] = {(): 0}
        self._waits_at: dict[tuple[tuple[int, int, int], ...], int] = {(): 0}

    def graph(self, graph: GraphBuilder) -> Graph:
        return Graph(
            graph.name,
            tuple(graph.inputs),
            tuple(graph.outputs),
            tuple(self._segment(segment) for segment in graph.segments),
            tuple(graph.layers),
            graph.workspace_bytes,
            graph.description,
            tuple(
                replace(value, shared=tuple(graph.shared.get(len(graph.inputs) + i, value.shared)))
                for i, value in enumerate(graph.values)
            ),
        )

    def _segment(self, segment: list[FunctionCallBuilder] | _CpuCall) -> Segment:
        if isinstance(segment, list):
            return BpuSegment(tuple(self._call(call) for call in segment))
        return CpuSegment(
            segment.signature,
            segment.parameters,
            tuple(self._number(d) for d in segment.inputs),
            tuple(self._number(d) for d in segment.outputs),
            segment.layer,
            segment.reason,
            segment.values,
        )

    def _call(self, call: FunctionCallBuilder) -> FunctionCall:
        return FunctionCall(
            {key: self._queue(rows) for key, rows in sorted(call.queues.items()) if rows},
            {key: np.array(parts, PART_DTYPE) for key, parts in sorted(call.parts.items())},
        )

    def _queue(self, rows: list[_Row]) -> Records:
        records: list[tuple[Any, ...]] = []
        for row in rows:
            numbers = [self._number(d) for d in row.operands]
            numbers += [ABSENT] * (MAX_OPERANDS - len(numbers))
            words, waits = self._words(row.words), self._waits(row.waits)
            records.append(
                (row.opcode, row.flags, row.layer, numbers, words, waits, len(row.waits))
            )
        try:
            return np.array([tuple(record) for record in records], INSTRUCTION_DTYPE)
        except (OverflowError, ValueError) as error:
            raise HbirError(f"an instruction doesn't fit its record: {error}") from error

    def _number(self, descriptor: TensorDescriptor | None) -> int:
        if descriptor is None:
            return ABSENT
        return self.descriptors.setdefault(descriptor, len(self.descriptors))

    def _words(self, words: tuple[int, ...]) -> int:
        at = self._words_at.get(words)
        if at is None:
            at = self._words_at[words] = len(self.words)
            self.words += words
        return at

    def _waits(self, waits: tuple[tuple[int, int, int], ...]) -> int:
        at = self._waits_at.get(waits)
        if at is None:
            at = self._waits_at[waits] = len(self.waits)
            self.waits += waits
        return at

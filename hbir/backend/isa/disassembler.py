"""A program as text, one instruction a line; `assembler` reads it back to the same bytes.

    isa.program {
      machine {"march": "nash-e", ...}
      constants 16
        AAECAwQFBgcICQoLDA0ODw==
      graph {"name": "main", "workspace_bytes": 0}
      input {"name": "x", ...}
      output {"name": "y", ...}
      layer {"name": "conv1", "kind": "conv2d"}
      call
      queue 0 tae
        0: conv2d output=l1[0x400]:si8[1,8,8,16] x=... stride=[2,2] wait=[load:3] layer=0
    }

Operands are memory[base]:type[shape], with strides where they aren't dense, `ring=rows@start` and
`padding=bytes`; `part=value@[origin]` says which part of a named tensor is written. Parameters that
have their default are left out. Constants are base64; where they are elided (`constants 16
elided`) the text is for reading only.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

from hbir.backend.isa.descriptor import TensorDescriptor, dense_strides
from hbir.backend.isa.enums import SPACE_NAMES, Engine, Flag, Space
from hbir.backend.isa.json_fields import dumps
from hbir.backend.isa.program import (
    ABSENT,
    BpuSegment,
    CpuSegment,
    FunctionCall,
    Graph,
    Program,
    QueueKey,
)
from hbir.backend.isa.structure import (
    cpu_to_json,
    graph_head_to_json,
    layer_to_json,
    machine_to_json,
    tensor_to_json,
    value_to_json,
)
from hbir.backend.isa.table import BY_NUMBER, Instruction, Kind

HEAD = "isa.program {"
TAIL = "}"
CONSTANT_BYTES_PER_LINE = 72


def disassemble(program: Program, *, elide: bool = False) -> str:
    """The text of a program. Raises HbirError when its tables are malformed."""
    return "\n".join(lines(program, elide=elide)) + "\n"


def lines(program: Program, *, elide: bool = False) -> Iterator[str]:
    """The lines of a program's text."""
    writer = _Writer(program)
    yield HEAD
    yield f"  machine {dumps(machine_to_json(program))}"
    yield from _constants(program.constants, elide=elide)
    for graph in program.graphs:
        yield from writer.graph(graph)
    yield TAIL


def _constants(data: memoryview, *, elide: bool) -> Iterator[str]:
    if elide and len(data):
        yield f"  constants {len(data)} elided"
        return
    yield f"  constants {len(data)}"
    for start in range(0, len(data), CONSTANT_BYTES_PER_LINE):
        chunk = data[start : start + CONSTANT_BYTES_PER_LINE]
        yield f"    {base64.b64encode(chunk).decode()}"


class _Writer:
    """Texts of descriptors, parameters and waits, each made once."""

    def __init__(self, program: Program) -> None:
        self.operands = [descriptor_text(d) for d in program.decoded_descriptors()]
        self.ranks: list[int] = program.descriptors["rank"].tolist()
        self.words: list[int] = program.parameters.tolist()
        self.waits: list[tuple[int, int, int]] = program.waits.tolist()
        self._parameters: dict[tuple[int, int], str] = {}

    def graph(self, graph: Graph) -> Iterator[str]:
        yield f"  graph {dumps(graph_head_to_json(graph))}"
        for tensor in graph.inputs:
            yield f"  input {dumps(tensor_to_json(tensor))}"
        for tensor in graph.outputs:
            yield f"  output {dumps(tensor_to_json(tensor))}"
        for layer in graph.layers:
            yield f"  layer {dumps(layer_to_json(layer))}"
        for value in graph.values:
            yield f"  value {dumps(value_to_json(value))}"
        for segment in graph.segments:
            if isinstance(segment, BpuSegment):
                for call in segment.calls:
                    yield from self.call(call)
            else:
                yield from self.cpu(segment)

    def cpu(self, segment: CpuSegment) -> Iterator[str]:
        yield f"  cpu {dumps(cpu_to_json(segment))}"
        for what, numbers in (("read", segment.inputs), ("write", segment.outputs)):
            for number in numbers:
                yield f"    {what} {self.operands[number]}"

    def call(self, call: FunctionCall) -> Iterator[str]:
        yield "  call"
        for (core, engine), queue in call.queues.items():
            yield f"  queue {core} {engine.name.lower()}"
            parts = self.parts(call, (core, engine))
            for position, fields in enumerate(queue.tolist()):
                yield f"    {position}: {self.instruction(core, fields)}{parts.get(position, '')}"

    def parts(self, call: FunctionCall, key: QueueKey) -> dict[int, str]:
        """By position in a queue, the text of the part of a value that the instruction writes."""
        if key not in call.parts:
            return {}
        operands = call.queues[key]["operands"][:, 0]
        texts: dict[int, str] = {}
        for position, value, origin in call.parts[key].tolist():
            place = origin[: self.ranks[operands[position]]]
            texts[position] = f" part={value}@[{','.join(map(str, place))}]"
        return texts

    def instruction(self, core: int, fields: tuple[Any, ...]) -> str:
        opcode, flags, layer, numbers, first_word, first_wait, wait_count = fields
        row = BY_NUMBER[opcode]
        parts = [row.mnemonic]
        for name, number in zip(row.operands, numbers, strict=False):
            if number != ABSENT:
                parts.append(f"{name.rstrip('?')}={self.operands[number]}")
        if row.word_count:
            parts.append(self.parameters(row, first_word))
        if flags != row.default_flags:
            parts.append(f"flags=[{','.join(f.name.lower() for f in Flag(flags) if f.name)}]")
        if wait_count:
            waits = self.waits[first_wait : first_wait + wait_count]
            parts.append(f"wait=[{','.join(_wait_text(core, *wait) for wait in waits)}]")
        parts.append(f"layer={layer}")
        return " ".join(part for part in parts if part)

    def parameters(self, row: Instruction, first: int) -> str:
        key = (row.number, first)
        text = self._parameters.get(key)
        if text is None:
            values = row.decode(tuple(self.words[first : first + row.word_count]))
            text = self._parameters[key] = " ".join(
                f"{p.name}={value_text(p.kind, values[p.name])}"
                for p in row.parameters
                if p.required or values[p.name] != p.default
            )
        return text


def _wait_text(core: int, wait_core: int, engine: int, count: int) -> str:
    where = "" if wait_core == core else f"@{wait_core}"
    return f"{Engine(engine).name.lower()}{where}:{count}"


def value_text(kind: Kind, value: Any) -> str:
    """A parameter's value."""
    if value is None:
        return "none"
    if kind is Kind.BOOL:
        return "true" if value else "false"
    if kind in (Kind.TUPLE, Kind.LIST):
        return f"[{','.join(map(str, value))}]"
    return str(value)


def descriptor_text(descriptor: TensorDescriptor) -> str:
    """An operand: `input0[0x0]:si8[1,8,8,3]{strides=[192,24,3,1],ring=4@1,padding=5}`."""
    d = descriptor
    port = str(d.port) if d.space in (Space.INPUT, Space.OUTPUT) else ""
    extra: list[str] = []
    if d.strides != dense_strides(d.shape, d.dtype.itemsize):
        extra.append(f"strides=[{','.join(map(str, d.strides))}]")
    if d.ring_rows:
        extra.append(f"ring={d.ring_rows}@{d.ring_start}")
    if d.padding_bytes:
        extra.append(f"padding={d.padding_bytes}")
    tail = f"{{{','.join(extra)}}}" if extra else ""
    shape = ",".join(map(str, d.shape))
    return f"{SPACE_NAMES[d.space]}{port}[{d.base:#x}]:{d.dtype.name.lower()}[{shape}]{tail}"

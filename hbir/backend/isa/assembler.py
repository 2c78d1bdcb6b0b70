"""Reads the text of a program that `disassembler` writes (its docstring shows the form).

Instructions go through `ProgramBuilder`, hence through the field table: the text of a program
assembles to the very bytes that it was printed from.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from hbir.backend.isa.builder import FunctionCallBuilder, GraphBuilder, ProgramBuilder
from hbir.backend.isa.descriptor import TensorDescriptor, dense_strides
from hbir.backend.isa.disassembler import HEAD, TAIL
from hbir.backend.isa.enums import SPACE_NAMES, DType, Engine, Flag, Space
from hbir.backend.isa.json_fields import loads
from hbir.backend.isa.program import Program, QueueKey
from hbir.backend.isa.structure import (
    MAX_CORES,
    MAX_ON_CHIP_BYTES,
    cpu_of_json,
    layer_of_json,
    tensor_of_json,
    value_of_json,
)
from hbir.backend.isa.table import Kind, Parameter, instruction
from hbir.errors import HbirError

_SPACES = {name: space for space, name in SPACE_NAMES.items()}
_DESCRIPTOR = re.compile(
    r"(?P<space>[a-z]+\d*)\[(?P<base>0x[0-9a-f]+)\]:(?P<dtype>\w+)"
    r"\[(?P<shape>[\d,]*)\](?:\{(?P<extra>[^}]*)\})?"
)
_EXTRA = re.compile(
    r"strides=\[(?P<strides>[\d,]*)\]|ring=(?P<ring>\d+)@(?P<start>\d+)|padding=(?P<padding>\d+)"
)
_LABEL = re.compile(r"\d+:\s*")
_WAIT = re.compile(r"(?P<engine>[a-z]+)(?:@(?P<core>\d+))?:(?P<count>\d+)")


class AssemblyError(HbirError):
    """A text that is no program; the message has file and line."""


def assemble(text: str, name: str = "<text>", first_line: int = 1) -> Program:
    """The program of a text. Raises AssemblyError."""
    reader = _Reader()
    line_number = first_line
    try:
        for line_number, line in enumerate(text.splitlines(), first_line):  # noqa: B007  (messages)
            reader.line(line.strip())
        return reader.finish()
    except HbirError as error:
        raise AssemblyError(f"{name}:{line_number}: {error}") from None


class _Reader:
    """Line by line; a line's first word says what it is."""

    def __init__(self) -> None:
        self._builder: ProgramBuilder | None = None
        self._graph: GraphBuilder | None = None
        self._call: FunctionCallBuilder | None = None
        self._queue: QueueKey | None = None
        self._constants = bytearray()
        self._constant_bytes = 0
        self._cpu: tuple[Any, list[TensorDescriptor], list[TensorDescriptor]] | None = None
        self._state = "before"
        self._operands: dict[str, TensorDescriptor] = {}
        self._statements: dict[str, Callable[[str], None]] = {
            "machine": self._machine,
            "constants": self._start_constants,
            "graph": self._start_graph,
            "input": lambda text: self._port(text, is_input=True),
            "output": lambda text: self._port(text, is_input=False),
            "layer": self._layer,
            "value": self._value,
            "call": self._start_call,
            "queue": self._start_queue,
            "cpu": self._start_cpu,
            "read": lambda text: self._cpu_operand(text, 1),
            "write": lambda text: self._cpu_operand(text, 2),
        }

    def line(self, line: str) -> None:
        # before all else: base64 may begin like a comment or spell a statement
        if self._state == "constants" and len(self._constants) < self._constant_bytes:
            self._constants += _base64(line)
            return
        if not line or line.startswith("//"):
            return
        if self._state == "before":
            if line != HEAD:
                raise HbirError(f"expected {HEAD!r}")
            self._state = "inside"
            return
        if self._state == "after":
            raise HbirError("nothing may follow the program's closing brace")
        if line == TAIL:
            self._state = "after"
            return
        word, _, rest = line.partition(" ")
        label = _LABEL.match(line)
        if label:
            self._instruction(line[label.end() :])
        elif word in self._statements:
            self._statements[word](rest.strip())
        else:
            raise HbirError(f"unknown statement {word!r}")

    def finish(self) -> Program:
        if self._state != "after":
            raise HbirError(f"the program has no closing {TAIL!r}")
        self._end_cpu()
        builder = self._the_builder()
        if len(self._constants) != self._constant_bytes:
            raise HbirError(
                f"constants have {len(self._constants)} bytes, expected {self._constant_bytes}"
            )
        builder.set_constants(bytes(self._constants))
        return builder.finish()

    # ----------------------------------------------------------------- statements

    def _machine(self, text: str) -> None:
        fields = loads(text, "machine")
        self._builder = ProgramBuilder(
            fields.text("march"),
            cores=fields.integer("cores", MAX_CORES, 1),
            l1_bytes=fields.integer("l1_bytes", MAX_ON_CHIP_BYTES),
            l2_bytes=fields.integer("l2_bytes", MAX_ON_CHIP_BYTES),
            information=fields.mapping("information"),
        )

    def _start_constants(self, text: str) -> None:
        size, _, rest = text.partition(" ")
        if rest == "elided":
            raise HbirError("the constants were elided; disassemble with -o to keep them")
        if rest or not size.isdigit():
            raise HbirError("expected 'constants' and their number of bytes")
        self._constant_bytes = int(size)
        self._state = "constants"

    def _start_graph(self, text: str) -> None:
        self._end_cpu()
        fields = loads(text, "graph")
        description = fields.text("description") if "description" in fields.value else ""
        self._graph = self._the_builder().graph(fields.text("name"), description)
        self._graph.workspace_bytes = fields.integer("workspace_bytes")
        self._call, self._queue, self._state = None, None, "inside"

    def _port(self, text: str, *, is_input: bool) -> None:
        graph = self._the_graph()
        tensor = tensor_of_json(loads(text, "input" if is_input else "output"))
        (graph.input if is_input else graph.output)(tensor)

    def _layer(self, text: str) -> None:
        layer = layer_of_json(loads(text, "layer"))
        self._the_graph().layers.append(layer)

    def _value(self, text: str) -> None:
        graph = self._the_graph()
        number = len(graph.inputs) + len(graph.values)
        graph.value(value_of_json(loads(text, "value"), number))

    def _start_call(self, text: str) -> None:
        self._end_cpu()
        if text:
            raise HbirError("'call' stands alone on its line")
        self._call, self._queue = self._the_graph().function_call(), None

    def _start_queue(self, text: str) -> None:
        core, _, engine = text.partition(" ")
        if self._call is None:
            raise HbirError("a queue needs a 'call' above it")
        if not core.isdigit() or int(core) >= self._the_builder().cores:
            raise HbirError(f"there is no core {core!r}")
        self._queue = (int(core), _engine(engine))

    def _start_cpu(self, text: str) -> None:
        self._end_cpu()
        self._the_graph()
        self._cpu = (loads(text, "cpu"), [], [])
        self._call, self._queue = None, None

    def _cpu_operand(self, text: str, side: int) -> None:
        if self._cpu is None:
            raise HbirError("'read' and 'write' belong to a 'cpu' above them")
        self._cpu[side].append(self._descriptor(text))

    def _end_cpu(self) -> None:
        if self._cpu is None:
            return
        fields, inputs, outputs = self._cpu
        graph = self._the_graph()
        call = cpu_of_json(fields, (), (), max(len(graph.layers) - 1, 0))
        graph.cpu_call(
            call.signature, call.parameters, inputs, outputs, call.layer, call.reason, call.values
        )
        self._cpu = None

    # ----------------------------------------------------------------- instructions

    def _instruction(self, text: str) -> None:
        if self._call is None or self._queue is None:
            raise HbirError("an instruction needs a 'queue' above it")
        mnemonic, *parts = text.split()
        row = instruction(mnemonic)
        operands: dict[str, TensorDescriptor] = {}
        params: dict[str, Any] = {}
        waits: dict[QueueKey, int] = {}
        layer, flags, written = 0, None, None
        names = [name.rstrip("?") for name in row.operands]
        for part in parts:
            key, equals, value = part.partition("=")
            if not equals:
                raise HbirError(f"expected name=value, got {part!r}")
            if key in row.by_name:
                params[key] = _value(row.by_name[key], value)
            elif key in names:
                operands[key] = self._descriptor(value)
            elif key == "wait":
                waits = self._waits(value)
            elif key == "layer":
                layer = _number(value)
            elif key == "part":
                written = value
            elif key == "flags":
                flags = _flags(value)
            else:
                raise HbirError(f"{mnemonic} has no {key!r}")
        arrays = [operands.get(name) for name in names]
        core, engine = self._queue
        self._call.append(core, engine, mnemonic, arrays, params, waits, layer, flags)
        if written is not None:
            number, _, origin = written.partition("@")
            self._call.part(core, engine, _number(number), [_number(i) for i in _items(origin)])

    def _waits(self, text: str) -> dict[QueueKey, int]:
        core = self._queue[0] if self._queue is not None else 0
        waits: dict[QueueKey, int] = {}
        for item in _items(text):
            match = _WAIT.fullmatch(item)
            if match is None:
                raise HbirError(f"wait {item!r}: expected engine:count or engine@core:count")
            key = (int(match["core"] or core), _engine(match["engine"]))
            waits[key] = int(match["count"])
        return waits

    def _descriptor(self, text: str) -> TensorDescriptor:
        found = self._operands.get(text)
        if found is None:
            found = self._operands[text] = parse_descriptor(text)
        return found

    def _the_builder(self) -> ProgramBuilder:
        if self._builder is None:
            raise HbirError("the program has no 'machine' above this")
        return self._builder

    def _the_graph(self) -> GraphBuilder:
        if self._graph is None:
            raise HbirError("a 'graph' must come first")
        return self._graph


def parse_descriptor(text: str) -> TensorDescriptor:
    """The operand of a text like `l1[0x40]:si8[1,8]`. Raises HbirError."""
    match = _DESCRIPTOR.fullmatch(text)
    if match is None:
        raise HbirError(f"operand {text!r}: expected memory[0xbase]:type[shape]")
    space, port = _space(match["space"])
    dtype = match["dtype"].upper()
    if dtype not in DType.__members__:
        raise HbirError(f"operand {text!r}: there is no element type {match['dtype']!r}")
    shape = _integers(match["shape"])
    strides = dense_strides(shape, DType[dtype].itemsize)
    ring = start = padding = 0
    extra = match["extra"] or ""
    if _EXTRA.sub("", extra).strip(","):
        raise HbirError(f"operand {text!r}: malformed {{{extra}}}")
    for item in _EXTRA.finditer(extra):
        if item["strides"] is not None:
            strides = _integers(item["strides"])
        elif item["ring"] is not None:
            ring, start = int(item["ring"]), int(item["start"])
        else:
            padding = int(item["padding"])
    return TensorDescriptor(
        space, int(match["base"], 16), DType[dtype], shape, strides, port, ring, start, padding
    )


def _space(text: str) -> tuple[Space, int]:
    if text in _SPACES:
        return _SPACES[text], 0
    name = text.rstrip("0123456789")
    space = _SPACES.get(name)
    if space is None or space not in (Space.INPUT, Space.OUTPUT) or name == text:
        raise HbirError(f"there is no memory {text!r}")
    return space, int(text[len(name) :])


def _engine(text: str) -> Engine:
    if text.upper() not in Engine.__members__:
        raise HbirError(f"there is no engine {text!r}")
    return Engine[text.upper()]


def _flags(text: str) -> Flag:
    flags = Flag.NONE
    for item in _items(text):
        if item.upper() not in Flag.__members__:
            raise HbirError(f"there is no flag {item!r}")
        flags |= Flag[item.upper()]
    return flags


def _value(parameter: Parameter, text: str) -> Any:
    if text == "none":
        return None
    match parameter.kind:
        case Kind.BOOL:
            if text not in ("true", "false"):
                raise HbirError(f"parameter {parameter.name}: expected true or false")
            return text == "true"
        case Kind.TUPLE | Kind.LIST:
            return tuple(_number(item) for item in _items(text))
        case Kind.CHOICE:
            return text
        case Kind.FLOAT32:
            return _float(parameter.name, text)
        case Kind.INT:
            return _number(text)


def _items(text: str) -> list[str]:
    if not (text.startswith("[") and text.endswith("]")):
        raise HbirError(f"expected [...], got {text!r}")
    return [item for item in text[1:-1].split(",") if item]


def _integers(text: str) -> tuple[int, ...]:
    return tuple(_number(item) for item in text.split(",") if item)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise HbirError(f"expected an integer, got {text!r}") from None


def _float(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise HbirError(f"parameter {name}: expected a number, got {text!r}") from None


def _base64(line: str) -> bytes:
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error:
        raise HbirError("malformed base64 among the constants") from None

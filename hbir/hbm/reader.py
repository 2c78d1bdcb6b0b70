"""Reads a .hbm file, trusting nothing in it.

Sizes come from the file's own length, never from a count that it claims, so a hostile file can't
make the reader allocate more than a few times its size. Every error names section and byte offset.
What instructions do with their operands is checked before they run (`runtime/hazards.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from hbir.backend.isa.descriptor import DESCRIPTOR_DTYPE, decode_descriptors
from hbir.backend.isa.enums import DType, Engine
from hbir.backend.isa.json_fields import Fields, loads
from hbir.backend.isa.program import (
    ABSENT,
    INSTRUCTION_DTYPE,
    NO_VALUE,
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
)
from hbir.backend.isa.structure import (
    MAX_CORES,
    MAX_ON_CHIP_BYTES,
    call_ranges,
    graphs_of_json,
    layer_of_json,
)
from hbir.backend.isa.table import BY_NUMBER, MAX_RANK
from hbir.errors import HbirError
from hbir.files import read_file
from hbir.hbm.format import (
    CHECKSUM_OFFSET,
    FORMAT_VERSION,
    HEADER_DTYPE,
    MAGIC,
    QUEUE_DTYPE,
    SECTION_ALIGNMENT_BYTES,
    SECTION_DTYPE,
    FormatError,
    Section,
    checksum,
)

if TYPE_CHECKING:
    import os


MAX_VALUES_BYTES = 1 << 34
"""Bound on what all named tensors of a graph may take when a run gathers them."""


def read_program(path: str | os.PathLike[str]) -> Program:
    """The program of a .hbm file. Raises HbirError: one line with file, section, byte offset."""
    return decode_program(read_file(path), str(path))


def decode_program(data: bytes, name: str = "<bytes>") -> Program:
    """The program of a file's bytes. Raises FormatError, its message starting with `name`."""
    try:
        return _decode(memoryview(data))
    except HbirError as error:
        raise FormatError(f"{name}: {error}") from None


def _decode(data: memoryview) -> Program:
    sections = _sections(data)
    structure = loads(sections[Section.STRUCTURE][1], _where(sections, Section.STRUCTURE))
    queues = _records(sections, Section.QUEUES, QUEUE_DTYPE)
    instructions = _records(sections, Section.INSTRUCTIONS, INSTRUCTION_DTYPE)
    debug = loads(sections[Section.DEBUG][1], _where(sections, Section.DEBUG))
    layers = _layers(debug)
    ranges = call_ranges(structure, len(queues))
    cores = structure.integer("cores", MAX_CORES, 1)
    parts = _records(sections, Section.PARTS, PART_DTYPE)
    if np.any(parts["position"][1:] <= parts["position"][:-1]):
        raise FormatError(f"{_where(sections, Section.PARTS)}: not in the instructions' order")
    calls = _function_calls(
        ranges, queues, instructions, parts, cores, _where(sections, Section.QUEUES)
    )
    program = Program(
        march=structure.text("march"),
        cores=cores,
        l1_bytes=structure.integer("l1_bytes", MAX_ON_CHIP_BYTES),
        l2_bytes=structure.integer("l2_bytes", MAX_ON_CHIP_BYTES),
        constants=sections[Section.CONSTANTS][1],
        descriptors=_records(sections, Section.DESCRIPTORS, DESCRIPTOR_DTYPE),
        parameters=_records(sections, Section.PARAMETERS, np.dtype("<i8")),
        waits=_records(sections, Section.WAITS, WAIT_DTYPE),
        graphs=graphs_of_json(structure, layers, _values(debug), calls),
        information=structure.mapping("information"),
    )
    _check_names(structure, program.graphs)
    _check_descriptors(program, _where(sections, Section.DESCRIPTORS))
    first = sections[Section.INSTRUCTIONS][0]
    for graph in program.graphs:
        _check_graph(program, graph, f"section INSTRUCTIONS at byte {first}")
        _check_values(program, graph, _where(sections, Section.PARTS))
    return program


# --------------------------------------------------------------------------- sections


def _sections(data: memoryview) -> dict[Section, tuple[int, memoryview]]:
    """(offset, bytes) of each section, after the header and the checksum have been checked."""
    if len(data) < HEADER_DTYPE.itemsize:
        raise FormatError(
            f"header at byte 0: the file has {len(data)} bytes, a .hbm has at least"
            f" {HEADER_DTYPE.itemsize}"
        )
    if bytes(data[: len(MAGIC)]) != MAGIC:
        raise FormatError("header at byte 0: not a .hbm file (wrong magic number)")
    header = np.frombuffer(data, HEADER_DTYPE, 1)[0]
    if int(header["version"]) != FORMAT_VERSION:
        raise FormatError(
            f"header at byte 8: format version {int(header['version'])}, this hbir reads"
            f" {FORMAT_VERSION}; compile the model again"
        )
    if int(header["reserved"]):
        raise FormatError("header at byte 24: the reserved field is not 0")
    if int(header["file_bytes"]) != len(data):
        raise FormatError(
            f"header at byte 16: the file should have {int(header['file_bytes'])} bytes, it has"
            f" {len(data)} (truncated?)"
        )
    count, start = int(header["section_count"]), HEADER_DTYPE.itemsize
    end = start + count * SECTION_DTYPE.itemsize
    if count != len(Section) or end > len(data):
        raise FormatError(f"header at byte 12: {count} sections, expected {len(Section)}")
    digest = checksum([data[:CHECKSUM_OFFSET], data[start:]])
    if digest != bytes(data[CHECKSUM_OFFSET:start]):
        raise FormatError(
            f"header at byte {CHECKSUM_OFFSET}: the checksum doesn't match; the file is damaged"
        )
    return _section_table(data, np.frombuffer(data[start:end], SECTION_DTYPE), end)


def _section_table(
    data: memoryview, table: Records, end: int
) -> dict[Section, tuple[int, memoryview]]:
    sections: dict[Section, tuple[int, memoryview]] = {}
    for number, (kind, row) in enumerate(zip(Section, table, strict=True)):
        where = f"section table at byte {HEADER_DTYPE.itemsize + number * SECTION_DTYPE.itemsize}"
        offset, size = int(row["offset"]), int(row["size"])
        if int(row["kind"]) != kind:
            raise FormatError(f"{where}: section kind {int(row['kind'])}, expected {kind.name}")
        expected = end + -end % SECTION_ALIGNMENT_BYTES
        if offset != expected or offset + size > len(data) or int(row["reserved"]):
            raise FormatError(
                f"{where}: section {kind.name} at {offset}..{offset + size}, expected it at"
                f" {expected} and inside the file's {len(data)} bytes"
            )
        sections[kind] = (offset, data[offset : offset + size])
        end = offset + size
    if end != len(data):
        raise FormatError(f"after the last section at byte {end}: {len(data) - end} bytes too many")
    return sections


def _where(sections: dict[Section, tuple[int, memoryview]], kind: Section) -> str:
    return f"section {kind.name} at byte {sections[kind][0]}"


def _records(
    sections: dict[Section, tuple[int, memoryview]], kind: Section, dtype: np.dtype[Any]
) -> Records:
    data = sections[kind][1]
    if len(data) % dtype.itemsize:
        raise FormatError(
            f"{_where(sections, kind)}: {len(data)} bytes are not whole records of {dtype.itemsize}"
        )
    return np.frombuffer(data, dtype)


# --------------------------------------------------------------------------- queues and layers


def _layers(debug: Fields) -> list[tuple[Layer, ...]]:
    return [
        tuple(
            layer_of_json(Fields(layer, f"{debug.path}.layers[{g}][{i}]"))
            for i, layer in enumerate(Fields({"": graph}, debug.path).list(""))
        )
        for g, graph in enumerate(debug.list("layers"))
    ]


def _values(debug: Fields) -> list[list[Fields]]:
    return [
        [
            Fields(value, f"{debug.path}.values[{g}][{i}]")
            for i, value in enumerate(Fields({"": graph}, debug.path).list(""))
        ]
        for g, graph in enumerate(debug.list("values"))
    ]


def _function_calls(
    ranges: Sequence[tuple[int, int]],
    queues: Records,
    instructions: Records,
    parts: Records,
    cores: int,
    where: str,
) -> list[FunctionCall]:
    calls: list[FunctionCall] = []
    claimed = 0
    for first_queue, count in ranges:
        call: dict[QueueKey, Records] = {}
        call_parts: dict[QueueKey, Records] = {}
        for number in range(first_queue, first_queue + count):
            core, engine, first, length = queues[number].tolist()
            if core >= cores or engine >= len(Engine) or (core, engine) in call:
                raise FormatError(f"{where}: queue {number}: malformed core or engine")
            # Each instruction belongs to one queue, so that total work is bounded by the file.
            if first != claimed or first + length > len(instructions):
                raise FormatError(f"{where}: queue {number}: malformed range of instructions")
            claimed = first + length
            call[core, Engine(engine)] = instructions[first : first + length]
            low, high = np.searchsorted(parts["position"], (first, first + length))
            if high > low:
                mine = parts[low:high].copy()
                mine["position"] -= first
                call_parts[core, Engine(engine)] = mine
        calls.append(FunctionCall(call, call_parts))
    return calls


def _check_names(structure: Fields, graphs: Sequence[Graph]) -> None:
    names = [graph.name for graph in graphs]
    if len(set(names)) != len(names):
        raise FormatError(f"{structure.path}.graphs: two graphs have the same name")
    for graph in graphs:
        for what, tensors in (("inputs", graph.inputs), ("outputs", graph.outputs)):
            if len({tensor.name for tensor in tensors}) != len(tensors):
                raise FormatError(f"graph {graph.name!r}: two {what} have the same name")


# --------------------------------------------------------------------------- values


def _check_values(program: Program, graph: Graph, where: str) -> None:
    """Every part lies in its value, and every result of the CPU that has a value is one."""
    known = [*graph.inputs, *graph.values]
    total_bytes = sum(prod(value.shape) * value.dtype.itemsize for value in graph.values)
    if total_bytes > MAX_VALUES_BYTES:
        raise FormatError(f"{where}: values of {total_bytes} bytes, at most {MAX_VALUES_BYTES}")
    for value in graph.values:
        for box in value.shared:
            ends = (o + s for o, s in zip(box.source, box.shape, strict=True))
            source = known[box.value]
            outside = len(source.shape) != len(box.shape) or any(
                map(int.__gt__, ends, source.shape)
            )
            if outside or source.dtype != value.dtype:
                raise FormatError(f"{where}: value {value.name!r}: shares what its source lacks")
        if value.view_of is not None:
            source = known[value.view_of]
            if (prod(source.shape), source.dtype) != (prod(value.shape), value.dtype):
                raise FormatError(f"{where}: value {value.name!r}: no view of its source")
    for segment in graph.segments:
        if isinstance(segment, CpuSegment):
            _check_results(program, graph, segment, where)
            continue
        for call in segment.calls:
            for key, parts in call.parts.items():
                _check_parts(program, graph, call.queues[key][parts["position"]], parts, where)


def _check_results(program: Program, graph: Graph, segment: CpuSegment, where: str) -> None:
    if segment.values and len(segment.values) != len(segment.outputs):
        raise FormatError(f"{where}: CPU call {segment.signature}: malformed values")
    for number, descriptor in zip(segment.values, segment.outputs, strict=False):
        if number == NO_VALUE:
            continue
        record = program.descriptors[descriptor]
        index = number - len(graph.inputs)
        if not 0 <= index < len(graph.values):
            raise FormatError(f"{where}: CPU call {segment.signature}: no value {number}")
        value = graph.values[index]
        shape = tuple(record["shape"][: record["rank"]].tolist())
        if (shape, int(record["dtype"])) != (value.shape, list(DType).index(value.dtype)):
            raise FormatError(f"{where}: CPU call {segment.signature}: no result {value.name!r}")


def _check_parts(
    program: Program, graph: Graph, queue: Records, parts: Records, where: str
) -> None:
    """Of the instructions that write parts: each one's output operand fits into its value."""
    first = len(graph.inputs)
    numbers, outputs = parts["value"].astype(np.int64) - first, queue["operands"][:, 0]
    if np.any((numbers < 0) | (numbers >= len(graph.values)) | (outputs == ABSENT)):
        raise FormatError(f"{where}: malformed value or output operand")
    codes = list(DType)
    shapes = np.zeros((len(graph.values), MAX_RANK), np.int64)
    ranks = np.array([len(value.shape) for value in graph.values])
    dtypes = np.array([codes.index(value.dtype) for value in graph.values])
    for row, value in zip(shapes, graph.values, strict=True):
        if len(value.shape) <= MAX_RANK:  # more axes has only what no instruction writes
            row[: len(value.shape)] = value.shape
    records = program.descriptors[outputs]
    ends = parts["origin"].astype(np.int64) + records["shape"]
    bad = (
        (records["rank"] != ranks[numbers])
        | (records["dtype"] != dtypes[numbers])
        | (ends > shapes[numbers]).any(axis=1)
    )
    if bad.any():
        name = graph.values[int(numbers[np.argmax(bad)])].name
        raise FormatError(f"{where}: a part outside value {name!r}")


# --------------------------------------------------------------------------- instructions


def _check_descriptors(program: Program, where: str) -> None:
    try:
        decode_descriptors(program.descriptors)
    except HbirError as error:
        raise FormatError(f"{where}: {error}") from None


def _check_graph(program: Program, graph: Graph, where: str) -> None:
    for segment in graph.segments:
        if isinstance(segment, CpuSegment):
            _check_cpu(program, segment, where)
            continue
        assert isinstance(segment, BpuSegment)
        for call in segment.calls:
            for (core, engine), queue in call.queues.items():
                _check_queue(program, graph, engine, queue, f"{where}, core {core} {engine.name}")


def _check_cpu(program: Program, segment: CpuSegment, where: str) -> None:
    for number in (*segment.inputs, *segment.outputs):
        if number >= len(program.descriptors):
            raise FormatError(
                f"{where}: CPU call {segment.signature}: operand {number} of"
                f" {len(program.descriptors)} descriptors"
            )


def _check_queue(
    program: Program, graph: Graph, engine: Engine, queue: Records, where: str
) -> None:
    """Every number in every instruction points into its table."""
    known = np.zeros(1 << 16, np.int64) - 1
    flags_allowed = np.zeros(1 << 16, np.int64)
    for number, row in BY_NUMBER.items():
        if engine in row.engines:
            known[number] = row.word_count
            flags_allowed[number] = int(row.allowed_flags)
    words = known[queue["opcode"]]
    operands = queue["operands"].astype(np.int64)
    checks = {
        "opcode": words < 0,
        "flags": (queue["flags"] & ~flags_allowed[queue["opcode"]]) != 0,
        "layer": queue["layer"] >= max(len(graph.layers), 1),
        "operands": ((operands >= len(program.descriptors)) & (operands != ABSENT)).any(axis=1),
        "parameters": queue["parameters"] + np.maximum(words, 0) > len(program.parameters),
        "waits": queue["waits"].astype(np.int64) + queue["wait_count"] > len(program.waits),
    }
    for what, bad in checks.items():
        if bad.any():
            raise FormatError(f"{where}: instruction {int(np.argmax(bad))}: malformed {what}")
    _check_operands(queue, operands, where)


def _check_operands(queue: Records, operands: Records, where: str) -> None:
    for number in sorted(set(queue["opcode"].tolist())):  # np.unique would import np.ma
        row = BY_NUMBER[number]
        mine = queue["opcode"] == number
        for index in range(operands.shape[1]):
            absent = operands[mine, index] == ABSENT
            optional = index < len(row.operands) and row.operands[index].endswith("?")
            expected = index >= len(row.operands)
            bad = ~absent if expected else absent & (not optional)
            if bad.any():
                at = int(np.flatnonzero(mine)[np.argmax(bad)])
                raise FormatError(
                    f"{where}: instruction {at}: {row.mnemonic} has operands"
                    f" {', '.join(row.operands)}"
                )

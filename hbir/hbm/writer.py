"""Writes a program as the bytes of a .hbm file. The same program gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hbir.backend.isa.json_fields import dumps
from hbir.backend.isa.program import INSTRUCTION_DTYPE, PART_DTYPE, FunctionCall, Program, Records
from hbir.backend.isa.structure import layer_to_json, structure_to_json, value_to_json
from hbir.files import write_file
from hbir.hbm.format import (
    FORMAT_VERSION,
    HEADER_DTYPE,
    MAGIC,
    QUEUE_DTYPE,
    SECTION_ALIGNMENT_BYTES,
    SECTION_DTYPE,
    Section,
    checksum,
)

if TYPE_CHECKING:
    import os


def write_program(program: Program, path: str | os.PathLike[str]) -> None:
    """Write a program to a file, whole or not at all. Raises HbirError naming the file."""
    write_file(Path(path), encode_program(program))


def encode_program(program: Program) -> bytes:
    """The bytes of a program's .hbm file."""
    queues, instructions, numbers = _queues(program)
    debug = {
        "layers": [[layer_to_json(la) for la in g.layers] for g in program.graphs],
        "values": [[value_to_json(value) for value in g.values] for g in program.graphs],
    }
    return _assemble(
        [
            (Section.STRUCTURE, dumps(structure_to_json(program, numbers)).encode()),
            (Section.CONSTANTS, program.constants),
            (Section.DESCRIPTORS, program.descriptors.tobytes()),
            (Section.PARAMETERS, program.parameters.tobytes()),
            (Section.WAITS, program.waits.tobytes()),
            (Section.INSTRUCTIONS, instructions.tobytes()),
            (Section.QUEUES, queues.tobytes()),
            (Section.DEBUG, dumps(debug).encode()),
            (Section.PARTS, _parts(program).tobytes()),
        ]
    )


def _queues(program: Program) -> tuple[Records, Records, dict[int, tuple[int, int]]]:
    """The queue table, all instructions, and the queues of each function call by its `id`."""
    rows: list[tuple[Any, ...]] = []
    instructions: list[Records] = [np.zeros(0, INSTRUCTION_DTYPE)]
    numbers: dict[int, tuple[int, int]] = {}
    first = 0
    for call in _calls(program):
        numbers[id(call)] = (len(rows), len(call.queues))
        for (core, engine), queue in call.queues.items():
            rows.append((core, int(engine), first, len(queue)))
            instructions.append(queue)
            first += len(queue)
    return np.array(rows, QUEUE_DTYPE), np.concatenate(instructions), numbers


def _parts(program: Program) -> Records:
    """All parts of values, their instructions numbered through all queues."""
    parts: list[Records] = [np.zeros(0, PART_DTYPE)]
    first = 0
    for call in _calls(program):
        for key, queue in call.queues.items():
            if key in call.parts:
                numbered = call.parts[key].copy()
                numbered["position"] += first
                parts.append(numbered)
            first += len(queue)
    return np.concatenate(parts)


def _calls(program: Program) -> Iterator[FunctionCall]:
    for graph in program.graphs:
        yield from graph.calls()


def _assemble(sections: Sequence[tuple[Section, bytes | memoryview]]) -> bytes:
    table = np.zeros(len(sections), SECTION_DTYPE)
    offset = HEADER_DTYPE.itemsize + table.nbytes
    body: list[bytes | memoryview] = []
    for row, (kind, data) in zip(table, sections, strict=True):
        gap = -offset % SECTION_ALIGNMENT_BYTES
        body += [bytes(gap), data]
        row["kind"], row["offset"], row["size"] = kind, offset + gap, len(data)
        offset += gap + len(data)
    header = np.zeros((), HEADER_DTYPE)
    header["magic"] = np.void(MAGIC)
    header["version"], header["section_count"] = FORMAT_VERSION, len(sections)
    header["file_bytes"] = offset
    head = header.tobytes()[: -header["checksum"].nbytes]
    digest = checksum([head, table.tobytes(), *body])
    return b"".join([head, digest, table.tobytes(), *body])

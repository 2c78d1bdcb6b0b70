"""docs/isa.md, made from the field table: `python -m hbir.backend.isa.document > docs/isa.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np

from hbir.backend.isa.descriptor import DESCRIPTOR_DTYPE
from hbir.backend.isa.enums import NUMPY_DTYPES, SPACE_NAMES, Engine, Flag, Space
from hbir.backend.isa.program import INSTRUCTION_DTYPE, WAIT_DTYPE
from hbir.backend.isa.table import INSTRUCTIONS, NONE, Instruction, Kind, Parameter

HEAD = """\
# The instruction set of the modelled BPU

Made from the field table, `hbir/backend/isa/table.py`, by `python -m
hbir.backend.isa.document`; change it there. The machine is hbir's own model: no silicon runs
these instructions. What an instruction computes is the kernel of the name given, whose formula
is in [arithmetic.md](arithmetic.md); how they lie in a file is in
[hbm-format.md](hbm-format.md).

A program is a list of graphs; a graph is a list of segments; a segment is one CPU call, or
function calls that run one after another on the BPU. A function call has one in-order queue per
core and engine. An instruction starts when the one before it in its queue is done and every
queue it waits for has completed the count that the wait names. Nothing else orders
instructions: two that touch the same bytes, one of them writing, must be ordered by queues and
waits. On-chip memory and counts do not outlive a function call; DDR does.
"""


def document() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield HEAD
    yield "## Engines\n"
    yield "| number | name |\n| --- | --- |"
    yield from (f"| {engine.value} | {engine.name} |" for engine in Engine)
    yield "\n## Memories\n"
    yield "| number | in text | contents |\n| --- | --- | --- |"
    yield from (
        f"| {space.value} | `{SPACE_NAMES[space]}` | {_SPACE_DOCS[space]} |" for space in Space
    )
    yield "\n## Element types\n"
    yield "| number | name | bytes |\n| --- | --- | --- |"
    yield from (
        f"| {code.value} | {code.name.lower()} | {dtype.itemsize} |"
        for code, dtype in NUMPY_DTYPES.items()
    )
    yield "\n## Flags\n"
    yield "| bit | name | meaning |\n| --- | --- | --- |"
    yield from (
        f"| {flag.value} | {flag.name} | {_FLAG_DOCS[flag]} |"
        for flag in Flag
        if flag.name is not None
    )
    yield _RECORDS
    yield from _record("Instruction", INSTRUCTION_DTYPE)
    yield from _record("Wait", WAIT_DTYPE)
    yield from _record("Descriptor", DESCRIPTOR_DTYPE)
    yield "## Instructions\n"
    for row in INSTRUCTIONS:
        yield from _instruction(row)


_SPACE_DOCS = {
    Space.L1: "on-chip memory of the issuing core",
    Space.L2: "on-chip memory shared by the cores",
    Space.CONSTANT: "DDR, read-only: the file's constants",
    Space.WORKSPACE: "DDR: intermediates of one graph, for the length of a run",
    Space.INPUT: "DDR, read-only: the graph input that the descriptor's port numbers",
    Space.OUTPUT: "DDR: the graph output that the descriptor's port numbers",
}
_FLAG_DOCS = {
    Flag.ACCUMULATE_FIRST: "start from zero; without it, from what the accumulator holds",
    Flag.ACCUMULATE_LAST: "finish and write the output; without it, write the accumulator only",
}
_RECORDS = f"""
## Records

Little-endian, packed. An absent operand has descriptor number 0xffffffff. `parameters` and
`waits` number the first word and the first wait in their tables; parameters are signed 64-bit
words in the order given below, {NONE} where an optional one is absent.

A descriptor's unused axes have shape and stride 0. No two elements of an operand share a byte.
With `ring_rows`, axis 1 is a line buffer: row h lies in slot (`ring_start` + h) mod
`ring_rows`. `padding_bytes` after each innermost run are left undefined by a write; the
simulator poisons them, and reading them is an error.
"""


def _record(name: str, dtype: np.dtype[Any]) -> Iterator[str]:
    yield f"### {name}: {dtype.itemsize} bytes\n"
    yield "| offset | field | type |\n| --- | --- | --- |"
    fields = cast(Mapping[str, Any], dtype.fields or {})
    for field in dtype.names or ():
        kind, offset = fields[field][:2]
        base, shape = kind.subdtype if kind.subdtype is not None else (kind, ())
        count = f" x {shape[0]}" if shape else ""
        yield f"| {offset} | {field} | {base.name}{count} |"
    yield ""


def _instruction(row: Instruction) -> Iterator[str]:
    yield f"### {row.mnemonic} ({row.number})\n"
    yield f"{row.doc}\n"
    kernel = f"kernel `{row.kernel}`" if row.kernel else "moved by the machine"
    engines = ", ".join(engine.name for engine in row.engines)
    operands = ", ".join(f"`{name}`" for name in row.operands)
    yield f"Queues {engines}; {kernel}; operands {operands}."
    if row.allowed_flags:
        yield f"Flags {_flags(row.allowed_flags)}; {_flags(row.default_flags)} if none are written."
    yield ""
    if not row.parameters:
        return
    yield "| word | parameter | values | default | meaning |\n| --- | --- | --- | --- | --- |"
    word = 0
    for parameter in row.parameters:
        words = f"{word}" if parameter.words == 1 else f"{word}..{word + parameter.words - 1}"
        yield (
            f"| {words} | {parameter.name} | {_values(parameter)} | {_default(parameter)} |"
            f" {parameter.doc} |"
        )
        word += parameter.words
    yield ""


def _flags(flags: Flag) -> str:
    return " and ".join(flag.name for flag in flags if flag.name)


def _default(parameter: Parameter) -> str:
    if parameter.required:
        return "required"
    return "absent" if parameter.default is None else f"{parameter.default}"


def _values(parameter: Parameter) -> str:
    bounds = f"{parameter.minimum}..{parameter.maximum}"
    match parameter.kind:
        case Kind.BOOL:
            return "0, 1"
        case Kind.FLOAT32:
            return "bits of a float32"
        case Kind.CHOICE:
            return ", ".join(f"{i} {name}" for i, name in enumerate(parameter.choices))
        case Kind.TUPLE:
            return f"({', '.join(parameter.parts)}) each {bounds}"
        case Kind.LIST:
            return f"list, each {bounds}"
        case Kind.INT:
            return bounds


if __name__ == "__main__":
    sys.stdout.write(document())

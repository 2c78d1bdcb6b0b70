"""Native properties, which versions 5 and 6 hold: which ones an op has, and in which order.

They are written in the order of the op's definition in LLVM, so this table knows the ops of the
dialects that every MLIR tool has registered: builtin, func and arith. Ops that were unregistered
where the file was written hold a dictionary instead, whatever their dialect.

Facts: the files that mlir-opt 22 writes, which the tests compare with its text. Some ops have grown
properties since the format began; a file holds one number for each, so their count tells the form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from xdsl.ir import Attribute

from hbir.bytecode.encoding import Cursor


@dataclass(frozen=True)
class Slot:
    """A property. A required one is an attribute's number; another says first if it is there."""

    name: str
    required: bool


_Form: TypeAlias = tuple[Slot, ...]


def _form(names: str) -> _Form:
    """`"a b!"`: slots by name, `!` behind required ones."""
    return tuple(Slot(name.rstrip("!"), name.endswith("!")) for name in names.split())


def _table(rows: tuple[tuple[str, str], ...]) -> dict[str, list[_Form]]:
    table: dict[str, list[_Form]] = {}
    for ops, form in rows:
        for op in ops.split():
            table.setdefault(op, []).append(_form(form))
    return table


NATIVE_PROPERTIES: dict[str, list[_Form]] = _table(
    (
        ("builtin.module", "sym_name sym_visibility"),
        ("func.func", "arg_attrs function_type! no_inline res_attrs sym_name! sym_visibility"),
        ("func.func", "arg_attrs function_type! res_attrs sym_name! sym_visibility"),
        ("func.call", "arg_attrs callee! no_inline res_attrs"),
        ("func.call", "callee! no_inline"),
        ("func.call", "callee!"),
        ("func.call_indirect", "arg_attrs res_attrs"),
        ("func.constant", "value!"),
        ("arith.constant", "value!"),
        ("arith.cmpi", "predicate!"),
        ("arith.cmpf", "fastmath predicate!"),
        (
            "arith.addf arith.subf arith.mulf arith.divf arith.remf arith.negf arith.extf "
            "arith.maximumf arith.minimumf arith.maxnumf arith.minnumf arith.scaling_extf",
            "fastmath",
        ),
        ("arith.truncf arith.scaling_truncf", "fastmath roundingmode"),
        ("arith.truncf", "roundingmode"),
        ("arith.addi arith.subi arith.muli arith.shli arith.trunci", "overflowFlags"),
        ("arith.divui arith.divsi arith.shrui arith.shrsi", "isExact"),
        ("arith.extui arith.uitofp", "nonNeg"),
    )
)
"""Op name → the forms its properties may have, the newest first."""


def read_native_properties(
    op_name: str, cursor: Cursor, attribute: Callable[[int, Cursor], Attribute]
) -> dict[str, Attribute]:
    """The properties of a registered op, `cursor` being over its entry and nothing more.

    `attribute` resolves an attribute's number.
    """
    forms = NATIVE_PROPERTIES.get(op_name)
    if forms is None:
        raise cursor.error(
            f"op {op_name} has native properties, which are read for ops of builtin, func and "
            "arith only; write the file with --emit-bytecode-version=4 or as text"
        )
    numbers: list[int] = []
    while cursor.left:
        numbers.append(cursor.varint())
    for form in forms:
        if len(form) == len(numbers):
            return _resolve(form, numbers, cursor, attribute)
    known = " or ".join(str(len(form)) for form in forms)
    raise cursor.error(f"op {op_name} has {len(numbers)} properties, {known} are known")


def _resolve(
    form: _Form,
    numbers: list[int],
    cursor: Cursor,
    attribute: Callable[[int, Cursor], Attribute],
) -> dict[str, Attribute]:
    properties: dict[str, Attribute] = {}
    for slot, number in zip(form, numbers, strict=True):
        if slot.required:
            properties[slot.name] = attribute(number, cursor)
        elif number & 1:
            properties[slot.name] = attribute(number >> 1, cursor)
    return properties

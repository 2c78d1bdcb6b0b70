"""Editing a function's inputs and outputs: this place keeps names, ids and types in step."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, IntegerAttr, StringAttr, i64
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, BlockArgument, SSAValue

from hbir.errors import HbirError
from hbir.ir.function import (
    body_of,
    input_names,
    output_names,
    return_of,
    update_function_type,
)
from hbir.ir.names import valid_name

Entry = dict[str, Attribute]

NAME, IDENTIFIER = "hbir.name", "hbir.id"


def insert_input(function: FuncOp, index: int, name: str, type_: Attribute) -> BlockArgument:
    """A new input at `index`. Raises HbirError when its name is taken."""
    entries = _entries(function.arg_attrs, input_names(function))
    expect_free(function, name)
    argument = body_of(function).insert_arg(type_, index)
    argument.name_hint = valid_name(name)
    entries.insert(index, {NAME: StringAttr(name)})
    _write_inputs(function, entries)
    return argument


def erase_input(function: FuncOp, index: int) -> None:
    """Remove an input that nothing reads."""
    entries = _entries(function.arg_attrs, input_names(function))
    del entries[index]
    block = body_of(function)
    block.erase_arg(block.args[index])
    _write_inputs(function, entries)


def replace_input(function: FuncOp, argument: BlockArgument, value: SSAValue) -> None:
    """Readers of an input read `value` instead, which is made from inputs; the input goes."""
    argument.replace_all_uses_with(value)
    erase_input(function, argument.index)


def rename_input(function: FuncOp, index: int, name: str) -> None:
    """Give an input another name."""
    entries = _entries(function.arg_attrs, input_names(function))
    entries[index][NAME] = StringAttr(name)
    _write_inputs(function, entries)


def set_input_attribute(function: FuncOp, index: int, key: str, value: Attribute) -> None:
    """Write one attribute of an input."""
    entries = _entries(function.arg_attrs, input_names(function))
    entries[index][key] = value
    _write_inputs(function, entries)


def set_outputs(function: FuncOp, index: int, outputs: Sequence[tuple[str, SSAValue]]) -> None:
    """Put outputs in the place of the one at `index`; a single one keeps its other attributes."""
    entries = _entries(function.res_attrs, output_names(function))
    values = list(return_of(function).operands)
    kept = entries[index] if len(outputs) == 1 else {}
    entries[index : index + 1] = [{**kept, NAME: StringAttr(name)} for name, _ in outputs]
    values[index : index + 1] = [value for _, value in outputs]
    return_of(function).operands = values
    _write_outputs(function, entries)


def append_outputs(function: FuncOp, outputs: Sequence[tuple[str, SSAValue]]) -> None:
    """Add outputs behind those that there are."""
    entries = _entries(function.res_attrs, output_names(function))
    added: list[Entry] = [{NAME: StringAttr(name)} for name, _ in outputs]
    entries += added
    end = return_of(function)
    end.operands = [*end.operands, *(value for _, value in outputs)]
    _write_outputs(function, entries)


def set_output_attribute(function: FuncOp, index: int, key: str, value: Attribute) -> None:
    """Write one attribute of an output."""
    entries = _entries(function.res_attrs, output_names(function))
    entries[index][key] = value
    _write_outputs(function, entries)


def expect_free(function: FuncOp, name: str) -> None:
    """Raises HbirError when an input already has this name."""
    if name in input_names(function):
        raise HbirError(
            f"function {function.sym_name.data!r} already has an input {name!r}; rename it first"
        )


def _entries(attributes: ArrayAttr[DictionaryAttr] | None, names: Sequence[str]) -> list[Entry]:
    given = attributes.data if attributes is not None else ()
    entries = [dict(entry.data) for entry in given[: len(names)]]
    entries += [Entry() for _ in range(len(names) - len(entries))]
    for entry, name in zip(entries, names, strict=True):
        entry[NAME] = StringAttr(name)
    return entries


def _write_inputs(function: FuncOp, entries: list[Entry]) -> None:
    function.arg_attrs = _numbered(entries, 1)
    update_function_type(function)


def _write_outputs(function: FuncOp, entries: list[Entry]) -> None:
    function.res_attrs = _numbered(entries, -1)
    update_function_type(function)


def _numbered(entries: list[Entry], sign: int) -> ArrayAttr[DictionaryAttr]:
    """Ids are positions: 1, 2, ... for inputs, -1, -2, ... for outputs."""
    return ArrayAttr(
        [
            DictionaryAttr({**entry, IDENTIFIER: IntegerAttr(sign * (i + 1), i64)})
            for i, entry in enumerate(entries)
        ]
    )

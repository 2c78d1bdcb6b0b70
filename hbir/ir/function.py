"""Functions: their arguments' and results' attributes, and building one.

Arguments carry `hbir.name`, `hbir.id` (1, 2, ...), results `hbir.name` and `hbir.id` (-1, -2, ...),
both optionally `hbir.desc`, as the published IR has them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from xdsl.dialects.builtin import (
    ArrayAttr,
    DictionaryAttr,
    IntegerAttr,
    ModuleOp,
    StringAttr,
    i64,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, Region, SSAValue

from hbir.errors import HbirError
from hbir.ir.names import valid_name

TARGET = "hbdk.target"
"""Module attribute that `convert` sets: the march that its functions are for."""


def functions_of(module: ModuleOp) -> list[FuncOp]:
    """The functions of a module that have a body, in order."""
    return [op for op in module.ops if isinstance(op, FuncOp) and op.body.blocks]


def body_of(function: FuncOp) -> Block:
    """The single block of a function. Raises HbirError when it has none or several."""
    block = function.body.blocks.first
    if block is None or block.next_block is not None:
        raise HbirError(f"function @{function.sym_name.data} must have exactly one block")
    return block


def return_of(function: FuncOp) -> ReturnOp:
    """The terminator of a function. Raises HbirError when it isn't a return."""
    last = body_of(function).last_op
    if not isinstance(last, ReturnOp):
        raise HbirError(f"function @{function.sym_name.data} must end with func.return")
    return last


def function_above(op: Operation) -> FuncOp | None:
    """The function that an op stands in."""
    parent = op.parent_op()
    while parent is not None and not isinstance(parent, FuncOp):
        parent = parent.parent_op()
    return parent


def argument_attribute(argument: BlockArgument, key: str) -> Attribute | None:
    """An attribute of a function's argument, or None."""
    parent = argument.block.parent_op()
    if not isinstance(parent, FuncOp) or parent.arg_attrs is None:
        return None
    if argument.index >= len(parent.arg_attrs.data):
        return None
    return parent.arg_attrs.data[argument.index].data.get(key)


def port_attributes(name: str, identifier: int, **more: Attribute) -> DictionaryAttr:
    """The attribute dictionary of an argument (identifier > 0) or result (identifier < 0)."""
    extra = {f"hbir.{key}": value for key, value in more.items()}
    return DictionaryAttr(
        {"hbir.name": StringAttr(name), "hbir.id": IntegerAttr(identifier, i64), **extra}
    )


def port_names(attributes: ArrayAttr[DictionaryAttr] | None, count: int, default: str) -> list[str]:
    """The `hbir.name` of each of `count` ports; `_input_0`-like where it is missing."""
    names = [f"_{default}_{i}" for i in range(count)]
    for i, entry in enumerate(attributes.data if attributes is not None else ()):
        name = entry.data.get("hbir.name")
        if i < count and isinstance(name, StringAttr):
            names[i] = name.data
    return names


def input_names(function: FuncOp) -> list[str]:
    """The names of a function's inputs."""
    return port_names(function.arg_attrs, len(function.function_type.inputs), "input")


def output_names(function: FuncOp) -> list[str]:
    """The names of a function's outputs."""
    return port_names(function.res_attrs, len(function.function_type.outputs), "output")


def symbol_name(name: str) -> str:
    """A network's name as a function's: other characters than letters, digits and _$. become _."""
    return re.sub(r"[^A-Za-z0-9_$.]", "_", name)


def make_function(name: str, inputs: Sequence[tuple[str, Attribute]]) -> tuple[FuncOp, Block]:
    """A function of named, typed inputs; fill the block, then `finish_function`."""
    types = [type_ for _, type_ in inputs]
    block = Block(arg_types=types)
    attributes = ArrayAttr([port_attributes(n, i + 1) for i, (n, _) in enumerate(inputs)])
    function = FuncOp(name, (types, []), Region(block), arg_attrs=attributes)
    for argument, (argument_name, _) in zip(block.args, inputs, strict=True):
        argument.name_hint = valid_name(argument_name)
    return function, block


def finish_function(function: FuncOp, outputs: Sequence[tuple[str, SSAValue]]) -> None:
    """Add the return of named outputs and set the function's type."""
    body_of(function).add_op(ReturnOp(*[value for _, value in outputs]))
    function.res_attrs = ArrayAttr([port_attributes(n, -i - 1) for i, (n, _) in enumerate(outputs)])
    update_function_type(function)


def update_function_type(function: FuncOp) -> None:
    """Make the function's type say what its arguments and return say."""
    from xdsl.dialects.builtin import FunctionType

    inputs = [argument.type for argument in body_of(function).args]
    outputs = [value.type for value in return_of(function).operands]
    function.function_type = FunctionType.from_lists(inputs, outputs)

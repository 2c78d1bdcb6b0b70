"""Readable SSA names, which come from origins: `%conv1_out`.

They are hints for printing alone, and bytecode has no place for them.
"""

from __future__ import annotations

import re
from functools import lru_cache

from xdsl.dialects.builtin import StringAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from hbir.ir.origin import ATTRIBUTE, OriginAttr


@lru_cache(maxsize=4096)
def value_name(name: str) -> str | None:
    """A tensor name as an SSA name; None where it can't be one."""
    return valid_name(re.sub(r"[^A-Za-z0-9_$.]", "_", name))


def valid_name(name: str) -> str | None:
    """The name, if an SSA value can have it; of `_0` xDSL, which drops numbers, leaves nothing."""
    kept = SSAValue.is_valid_name(name) and SSAValue.extract_valid_name(name)
    return name if kept else None


def name_values(module: Operation) -> None:
    """Name the values of a module that has just been read by the origins of their ops."""
    for op in module.walk():
        origin = op.attributes.get(ATTRIBUTE)
        if isinstance(origin, OriginAttr) and len(op.results) == 1:
            op.results[0].name_hint = value_name(origin.data.tensor)
        elif isinstance(op, FuncOp):
            _name_arguments(op)


def _name_arguments(function: FuncOp) -> None:
    block = function.body.blocks.first
    if block is None or function.arg_attrs is None:
        return
    for argument, entry in zip(block.args, function.arg_attrs.data, strict=False):
        name = entry.data.get("hbir.name")
        if isinstance(name, StringAttr):
            argument.name_hint = valid_name(name.data)

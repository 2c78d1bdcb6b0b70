"""What a user says about the types of tensors, node by node, as widths of operands and results.

A choice is a type for all inputs of a node, or a mapping: `{"input0": "int16", "output": "int16"}`.
Inputs go by the source node's order; of a convolution `input1` is the weights, which "int16" alone
leaves at 8 bits. These are the `qtype` entries of a `quant_config`'s `node_config`.

TAE multiplies integers and gives float16, so of a convolution, linear layer or matmul "float16"
means the output; its inputs stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import TypeAlias, cast

from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, OpResult, SSAValue

from hbir.dialects.hbir.constant import ConstantOp
from hbir.errors import HbirError, did_you_mean
from hbir.ir.function import body_of, input_names
from hbir.ir.origin import nodes_of
from hbir.passes.constraints.float16 import (
    FLOAT16_CONSTRAINTS,
    broken_float16_constraint,
    constraint_integer_products,
)
from hbir.passes.dtypes import FLOAT16_NAME, FLOAT16_WIDTH, Widths
from hbir.passes.gemm import as_gemm
from hbir.passes.groups import group_number, is_inside_group

DtypeChoice: TypeAlias = str | Mapping[str, str]
Dtypes: TypeAlias = str | Mapping[str, DtypeChoice]
"""One type for everything, or by the name of a source node or of a network's input."""

DTYPE_BITS = {"int8": 8, "int16": 16, FLOAT16_NAME: FLOAT16_WIDTH}

OUTPUT = "output"
EVERY_NODE = "every node"
_INPUT = re.compile(r"input(\d+)")


def node_names(function: FuncOp) -> set[str]:
    """The names that a choice can go by, besides those of the inputs."""
    return set(ops_by_node(function))


def check_name(function: FuncOp, name: str) -> None:
    """Raises HbirError, saying what is near, for what is neither a node nor an input."""
    names = [*ops_by_node(function), *input_names(function)]
    if name not in names:
        raise HbirError(_unknown(name, names))


def ops_by_node(function: FuncOp) -> dict[str, list[Operation]]:
    """Source node → the ops it became or is part of, in program order."""
    found: dict[str, list[Operation]] = {}
    for op in _computing_ops(function):
        for node in nodes_of(op):
            found.setdefault(node.name, []).append(op)
    return found


def widths_of(function: FuncOp, dtypes: Dtypes, gone: Container[str] = ()) -> Widths:
    """The widths that `dtypes` asks for.

    Where a node became several ops, its choice holds for each. gone: nodes that optimizing took
    out, whose choices have no effect. Raises HbirError, naming the entry, for unknown names and
    types.
    """
    widths = Widths()
    if isinstance(dtypes, str):
        computing = list(_computing_ops(function))
        _widen(widths, computing, EVERY_NODE, dtypes)
        results = [result for op in computing for result in op.results]
        bits = _bits(EVERY_NODE, dtypes)
        widths.values.update(dict.fromkeys([*body_of(function).args, *results], bits))
        return widths
    if not isinstance(cast(object, dtypes), Mapping):
        raise HbirError(f"dtype: expected a type or a mapping from nodes to types, got {dtypes!r}")
    ops = ops_by_node(function)
    arguments = dict(zip(input_names(function), body_of(function).args, strict=True))
    for name, choice in dtypes.items():
        if name not in ops and name not in arguments:
            if name in gone:
                continue
            raise HbirError(_unknown(name, [*ops, *arguments]))
        if not isinstance(cast(object, choice), str | Mapping):
            raise HbirError(f"dtype of {name!r}: expected a type or a mapping, got {choice!r}")
        if name not in ops:
            given = choice if isinstance(choice, str) else choice.get(OUTPUT)
            if given is None:
                raise HbirError(f"dtype of {name!r}: an input of the network has {OUTPUT} alone")
            widths.values[arguments[name]] = _bits(name, given)
            continue
        _widen(widths, ops[name], name, choice)
    return widths


def node_name(op: Operation) -> str | None:
    """The name by which an op's source node is chosen: the last that was fused into it."""
    nodes = nodes_of(op)
    return nodes[-1].name if nodes else None


def _widen(widths: Widths, ops: list[Operation], name: str, choice: DtypeChoice) -> None:
    if isinstance(choice, str):
        bits = _bits(name, choice)
        for op in ops:
            if bits == FLOAT16_WIDTH and type(op) in FLOAT16_CONSTRAINTS:
                _widen_restricted(widths, op, name)
                continue
            count = 1 if as_gemm(op) is not None else len(op.operands)
            widths.operands.update({(op, index): bits for index in range(count)})
        return
    for key, dtype in choice.items():
        bits = _bits(name, dtype)
        if key == OUTPUT:
            widths.values.update({_result_of_group(result): bits for result in ops[-1].results})
            continue
        number = _INPUT.fullmatch(key)
        index = -1 if number is None else int(number[1])
        readers = [op for op in ops if 0 <= index < len(op.operands)]
        if not readers:
            inputs = ", ".join(f"input{i}" for i in range(max(len(op.operands) for op in ops)))
            raise HbirError(f"dtype of {name!r}: it has no {key!r}; use {inputs} or {OUTPUT}")
        broken = [broken_float16_constraint(op, index) for op in readers]
        if bits == FLOAT16_WIDTH and any(broken):
            raise HbirError(f"dtype of {name!r}: {key} can't be {dtype}: {broken[0]}")
        widths.operands.update({(op, index): bits for op in readers})


def _widen_restricted(widths: Widths, op: Operation, name: str) -> None:
    """float16 for an op that reads integers: its result, and the operands that may be."""
    if FLOAT16_CONSTRAINTS[type(op)] is constraint_integer_products:
        result = _result_of_group(op.results[0])
        widths.values[result] = FLOAT16_WIDTH
        return
    found = [broken_float16_constraint(op, index) for index in range(len(op.operands))]
    if all(found) and name != EVERY_NODE:
        raise HbirError(f"dtype of {name!r}: it can't be {FLOAT16_NAME}: {found[0]}")
    free = [index for index, broken in enumerate(found) if broken is None]
    widths.operands.update({(op, index): FLOAT16_WIDTH for index in free})


def _result_of_group(value: SSAValue) -> SSAValue:
    """What a fusion group gives, for a value inside it, which no one sees."""
    while isinstance(value, OpResult) and is_inside_group(value.op):
        number = group_number(value.op)
        readers = [use.operation for use in value.uses]
        value = next(op for op in readers if group_number(op) == number).results[0]
    return value


def _bits(name: str, dtype: str) -> int:
    bits = DTYPE_BITS.get(dtype) if isinstance(cast(object, dtype), str) else None
    if bits is None:
        *others, last = DTYPE_BITS
        raise HbirError(f"dtype of {name!r}: {dtype!r} is not {', '.join(others)} or {last}")
    return bits


def _computing_ops(function: FuncOp) -> Iterator[Operation]:
    for op in body_of(function).ops:
        if op.results and not isinstance(op, ConstantOp):
            yield op


def _unknown(name: str, names: list[str]) -> str:
    return f"dtype: there is no node or input {name!r}{did_you_mean(name, names, most=3)}"

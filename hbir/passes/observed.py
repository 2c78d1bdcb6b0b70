"""Observed ranges as attributes, the way they travel from calibration to `place-fake-quants`.

`observed = [low, high, ...]` on an op has a pair per result; `hbir.observed = [low, high]` is among
a function argument's attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, SSAValue

from hbir.errors import HbirError
from hbir.ir.function import body_of
from hbir.ir.op import to_attribute, to_python
from hbir.ir.verify import describe_op

OP_ATTRIBUTE = "observed"
ARGUMENT_ATTRIBUTE = "hbir.observed"

Ranges = dict[SSAValue, tuple[float, float]]


def write_observed(function: FuncOp, ranges: Mapping[SSAValue, tuple[float, float]]) -> None:
    """Write ranges as attributes; an op gets them when all its results have one."""
    block = body_of(function)
    entries = function.arg_attrs.data if function.arg_attrs is not None else ()
    attributes: list[DictionaryAttr] = []
    for index, argument in enumerate(block.args):
        entry: dict[str, Attribute] = dict(entries[index].data) if index < len(entries) else {}
        if argument in ranges:
            entry[ARGUMENT_ATTRIBUTE] = to_attribute(list(ranges[argument]))
        attributes.append(DictionaryAttr(entry))
    function.arg_attrs = ArrayAttr(attributes)
    for op in block.ops:
        if op.results and all(result in ranges for result in op.results):
            numbers = [bound for result in op.results for bound in ranges[result]]
            op.attributes[OP_ATTRIBUTE] = to_attribute(numbers)


def take_observed(function: FuncOp) -> Ranges:
    """Read the ranges of a function's values and remove the attributes.

    Raises HbirError for an attribute that isn't one pair of ordered numbers per result.
    """
    ranges: Ranges = {}
    block = body_of(function)
    attributes: list[DictionaryAttr] = []
    for argument, entry in zip(block.args, _argument_entries(function), strict=False):
        rest = dict(entry.data)
        observed = rest.pop(ARGUMENT_ATTRIBUTE, None)
        attributes.append(DictionaryAttr(rest))
        if observed is not None:
            (ranges[argument],) = _pairs(observed, 1, f"argument {argument.index}")
    if attributes:
        function.arg_attrs = ArrayAttr(attributes)
    for op in block.ops:
        observed = op.attributes.pop(OP_ATTRIBUTE, None)
        if observed is not None:
            pairs = _pairs(observed, len(op.results), describe_op(op))
            ranges.update(zip(op.results, pairs, strict=True))
    return ranges


def _argument_entries(function: FuncOp) -> list[DictionaryAttr]:
    return list(function.arg_attrs.data) if function.arg_attrs is not None else []


def _pairs(attribute: Attribute, count: int, what: str) -> list[tuple[float, float]]:
    numbers: Any = to_python(attribute)
    values = [float(n) for n in cast(tuple[float, ...], numbers)] if _is_list(numbers) else []
    pairs = list(zip(values[::2], values[1::2], strict=False))
    if len(values) != 2 * count or any(low > high for low, high in pairs):
        raise HbirError(f"{what}: observed must be [low, high] per result, got {attribute}")
    return pairs


def _is_list(value: Any) -> bool:
    return isinstance(value, tuple)

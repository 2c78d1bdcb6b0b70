"""How wide an op is to read and give its tensors, as attributes on their way to placement.

`input_bits = [16, 0]` on an op has an entry per operand, 0 where nothing is said: 16 makes it read
16 bits whoever gives them, 8 at most 8, and "float16" that. Of a convolution or linear layer
operand 1 is the weights.
`output_bits = 16` widens the result for all readers that say nothing; `hbir.output_bits` is the
same for a function's argument. `place-fake-quants` uses them up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, BlockArgument, Operation, SSAValue

from hbir.dialects.hbir.grid_sample import GridSampleOp
from hbir.ir.function import body_of
from hbir.ir.op import to_attribute, to_python
from hbir.ir.verify import VerifyError

INPUT_ATTRIBUTE = "input_bits"
OUTPUT_ATTRIBUTE = "output_bits"
ARGUMENT_ATTRIBUTE = "hbir.output_bits"

BITS = (8, 16)
"""Widths of quantized tensors."""

FLOAT16_WIDTH = 32
"""Stands among them for float16, which is wider than 16 bits in that it holds every range. Not its
size; attributes say "float16"."""

FLOAT16_NAME = "float16"

WIDE_OPERANDS: dict[type[Operation], tuple[int, ...]] = {GridSampleOp: (1,)}
"""Operands that are 16 bits wide unless something else is said: 255 places along an image's side
are too few."""


@dataclass
class Widths:
    """Bits by operand and by value, where something was said."""

    operands: dict[tuple[Operation, int], int] = field(
        default_factory=dict[tuple[Operation, int], int]
    )
    values: dict[SSAValue, int] = field(default_factory=dict[SSAValue, int])


def write_widths(function: FuncOp, widths: Widths) -> None:
    """Write widths as attributes."""
    by_op: dict[Operation, list[int]] = {}
    for (op, index), bits in widths.operands.items():
        by_op.setdefault(op, [0] * len(op.operands))[index] = bits
    for op, entries in by_op.items():
        op.attributes[INPUT_ATTRIBUTE] = to_attribute([_written(bits) for bits in entries])
    for value, bits in widths.values.items():
        if isinstance(value, BlockArgument):
            _set_argument(function, value.index, to_attribute(_written(bits)))
        elif isinstance(value.owner, Operation):
            value.owner.attributes[OUTPUT_ATTRIBUTE] = to_attribute(_written(bits))


def take_widths(function: FuncOp) -> Widths:
    """Read the widths of a function and remove the attributes.

    Raises VerifyError for anything but 8, 16 and "float16" (0 for an operand of which nothing is
    said).
    """
    widths = Widths()
    block = body_of(function)
    for argument, entry in zip(block.args, _argument_entries(function), strict=False):
        given = entry.get(ARGUMENT_ATTRIBUTE)
        if given is not None:
            widths.values[argument] = _bits(to_python(given), function)
            _set_argument(function, argument.index, None)
    for op in block.ops:
        for index in WIDE_OPERANDS.get(type(op), ()):
            widths.operands[op, index] = max(BITS)
        given = op.attributes.pop(OUTPUT_ATTRIBUTE, None)
        if given is not None:
            widths.values.update(dict.fromkeys(op.results, _bits(to_python(given), op)))
        entries = op.attributes.pop(INPUT_ATTRIBUTE, None)
        if entries is not None:
            _read_operands(op, entries, widths)
    return widths


def _read_operands(op: Operation, entries: Attribute, widths: Widths) -> None:
    numbers: Any = to_python(entries)
    if not isinstance(numbers, tuple) or len(cast(tuple[Any, ...], numbers)) != len(op.operands):
        raise VerifyError(
            op, f"{INPUT_ATTRIBUTE} must have an entry per operand, {len(op.operands)}"
        )
    for index, bits in enumerate(cast(tuple[Any, ...], numbers)):
        if bits != 0:
            widths.operands[op, index] = _bits(bits, op)


def _written(bits: int) -> int | str:
    return FLOAT16_NAME if bits == FLOAT16_WIDTH else bits


def _bits(bits: Any, op: Operation) -> int:
    if bits == FLOAT16_NAME:
        return FLOAT16_WIDTH
    if bits not in BITS:
        raise VerifyError(op, f'a tensor has 8 or 16 bits or is "{FLOAT16_NAME}", not {bits}')
    return int(bits)


def _argument_entries(function: FuncOp) -> list[Mapping[str, Attribute]]:
    return [entry.data for entry in function.arg_attrs or ()]


def _set_argument(function: FuncOp, index: int, attribute: Attribute | None) -> None:
    arguments = len(body_of(function).args)
    entries = [dict(entry) for entry in _argument_entries(function)] or [
        {} for _ in range(arguments)
    ]
    if attribute is None:
        entries[index].pop(ARGUMENT_ATTRIBUTE, None)
    else:
        entries[index][ARGUMENT_ATTRIBUTE] = attribute
    function.arg_attrs = ArrayAttr([DictionaryAttr(entry) for entry in entries])

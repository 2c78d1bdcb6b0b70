"""Arithmetic of two tensors; division is decomposed before, powers and remainders are tables."""

from __future__ import annotations

from math import prod

from xdsl.ir import SSAValue

from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbir.elementwise import (
    AddOp,
    BinaryOp,
    DivOp,
    MaxOp,
    MinOp,
    ModOp,
    MulOp,
    PowOp,
    SubOp,
)
from hbir.ir.types import shape_of
from hbir.passes.constraints import ConstraintTable
from hbir.passes.constraints.common import constraint_float_data
from hbir.passes.graph import is_constant


def constraint_computed_operand(op: BinaryOp) -> str | None:
    """At least one operand must be an activation.

    Fold the constants before export; the result is known.
    """
    return "both are constants" if is_constant(op.lhs) and is_constant(op.rhs) else None


def constraint_no_division(op: DivOp) -> str | None:
    """The BPU multiplies by reciprocals; a division by a constant 0 or inf has none.

    Mend the divisor; a division by it gives no finite numbers anyway.
    """
    del op
    return "the divisor holds one"


def constraint_constant_power(op: PowOp) -> str | None:
    """A power is a table: its exponent or its (positive) base must be one constant number.

    Export the exponent as a constant, or write the power as a product or as exp(y ·
    log(x)).
    """
    if not _is_number(op.rhs, beside=op.lhs) and not _is_number(op.lhs, beside=op.rhs):
        shapes = [list(shape_of(value)) for value in (op.lhs, op.rhs)]
        return f"base and exponent have shapes {shapes[0]} and {shapes[1]}"
    return None


def constraint_constant_divisor(op: ModOp) -> str | None:
    """A remainder is a table: its divisor must be one constant number.

    Export the divisor as one constant number, or take the remainder outside the network.
    """
    if _is_number(op.rhs, beside=op.lhs):
        return None
    return f"it has shape {list(shape_of(op.rhs))}"


def _is_number(value: SSAValue, *, beside: SSAValue) -> bool:
    """Whether a value is a constant number that doesn't give the other operand more axes."""
    shape = shape_of(value)
    number = isinstance(value.owner, ConstantOp) and prod(shape) == 1
    return number and len(shape) <= len(shape_of(beside))


BINARY = (constraint_float_data, constraint_computed_operand)

CONSTRAINTS: ConstraintTable = {
    **dict.fromkeys((AddOp, SubOp, MulOp, MaxOp, MinOp), BINARY),
    DivOp: (constraint_no_division,),
    PowOp: (*BINARY, constraint_constant_power),
    ModOp: (*BINARY, constraint_constant_divisor),
}

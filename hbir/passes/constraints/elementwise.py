"""Addition, subtraction, multiplication, maximum, minimum; division is decomposed before."""

from __future__ import annotations

from hbir.dialects.hbir.elementwise import AddOp, BinaryOp, DivOp, MaxOp, MinOp, MulOp, SubOp
from hbir.passes.constraints import ConstraintTable
from hbir.passes.constraints.common import constraint_float_data
from hbir.passes.graph import is_constant


def constraint_computed_operand(op: BinaryOp) -> str | None:
    """At least one operand must be an activation."""
    return "both are constants" if is_constant(op.lhs) and is_constant(op.rhs) else None


def constraint_no_division(op: DivOp) -> str | None:
    """The BPU multiplies by reciprocals; a division by a constant 0 or inf has none."""
    del op
    return "the divisor holds one"


BINARY = (constraint_float_data, constraint_computed_operand)

CONSTRAINTS: ConstraintTable = {
    **dict.fromkeys((AddOp, SubOp, MulOp, MaxOp, MinOp), BINARY),
    DivOp: (constraint_no_division,),
}

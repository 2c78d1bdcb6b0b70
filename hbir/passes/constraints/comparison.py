"""Comparisons and choices, whose truth values `represent-bools` has written as numbers."""

from __future__ import annotations

from hbir.dialects.hbir.comparison import (
    ComparisonOp,
    EqualOp,
    GreaterEqualOp,
    GreaterOp,
    LessEqualOp,
    LessOp,
    NotEqualOp,
    WhereOp,
)
from hbir.passes.constraints import ConstraintTable
from hbir.passes.constraints.common import constraint_float_data
from hbir.passes.graph import is_constant

COMPARISON_OPS = (EqualOp, NotEqualOp, GreaterOp, GreaterEqualOp, LessOp, LessEqualOp)


def constraint_compared_activation(op: ComparisonOp) -> str | None:
    """At least one side of a comparison must be an activation.

    Fold the constants before export; both sides are known.
    """
    return "both are constants" if is_constant(op.lhs) and is_constant(op.rhs) else None


def constraint_chosen_activation(op: WhereOp) -> str | None:
    """At least one of the tensors to choose from must be an activation.

    Fold the constants, or write the choice as condition · (a − b) + b.
    """
    return "both are constants" if is_constant(op.lhs) and is_constant(op.rhs) else None


CONSTRAINTS: ConstraintTable = {
    **dict.fromkeys(COMPARISON_OPS, (constraint_float_data, constraint_compared_activation)),
    WhereOp: (constraint_float_data, constraint_chosen_activation),
}

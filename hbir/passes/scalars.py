"""Binary ops with a number on one side: functions of one element, hence tables."""

from __future__ import annotations

from xdsl.ir import SSAValue

from hbir.dialects.hbir.comparison import ComparisonOp
from hbir.dialects.hbir.constant import ConstantOp
from hbir.dialects.hbir.elementwise import BinaryOp
from hbir.ir.types import shape_of
from hbir.ir.weights import WeightStore
from hbir.passes.graph import splat


def scalar_operand(
    op: BinaryOp | ComparisonOp, weights: WeightStore
) -> tuple[SSAValue, float, bool] | None:
    """The other operand, the number, and whether the number is the left operand.

    None when neither operand is a constant that is one number throughout, or when it enlarges the
    result by broadcasting.
    """
    sides = ((op.lhs, op.rhs, False), (op.rhs, op.lhs, True))
    for value, constant, number_is_left in sides:
        if not isinstance(constant.owner, ConstantOp) or isinstance(value.owner, ConstantOp):
            continue
        number = splat(weights.array(constant.owner.values))
        if number is not None and shape_of(value) == shape_of(op.output):
            return value, number, number_is_left
    return None

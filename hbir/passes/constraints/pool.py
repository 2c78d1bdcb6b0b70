"""Max and average pooling."""

from __future__ import annotations

from hbir.dialects.hbir.pool import AvgPoolOp, MaxPoolOp
from hbir.passes.constraints import ConstraintTable
from hbir.passes.constraints.common import constraint_float_data
from hbir.passes.pads import overhang


def constraint_undilated_average(op: AvgPoolOp) -> str | None:
    """An average pool must have dilation 1.

    Write it as a depthwise convolution with equal weights, which may be dilated.
    """
    dilation = op.params()["dilation"]
    return f"its dilation is {list(dilation)}" if tuple(dilation) != (1, 1) else None


def constraint_one_kind_of_border(op: AvgPoolOp) -> str | None:
    """With ceilMode, padding must not count while what lies beyond it doesn't.

    Set count_include_pad to 0, or pad the input so that ceil_mode is not needed.
    """
    params = op.params()
    if params["count_include_pad"] and any(params["pad"]) and any(overhang(op)):
        return f"windows reach {overhang(op)} beyond pad {list(params['pad'])}"
    return None


CONSTRAINTS: ConstraintTable = {
    MaxPoolOp: (constraint_float_data,),
    AvgPoolOp: (constraint_float_data, constraint_undilated_average, constraint_one_kind_of_border),
}

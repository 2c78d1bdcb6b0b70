"""Functions of one element, which are 256-entry tables, and prelu."""

from __future__ import annotations

from hbir.dialects.hbir.activation import (
    ClipOp,
    EluOp,
    ExpOp,
    GeluOp,
    HardSigmoidOp,
    HardSwishOp,
    LeakyReluOp,
    MishOp,
    PreluOp,
    ReciprocalOp,
    ReluOp,
    ShrinkOp,
    SigmoidOp,
    SoftplusOp,
    SoftsignOp,
    SwishOp,
    TanhOp,
    ThresholdedReluOp,
)
from hbir.ir.types import shape_of
from hbir.passes.constraints import ConstraintTable
from hbir.passes.constraints.common import constraint_float_data
from hbir.passes.graph import is_constant

ACTIVATION_OPS = (
    ReluOp,
    ClipOp,
    LeakyReluOp,
    SigmoidOp,
    TanhOp,
    HardSigmoidOp,
    HardSwishOp,
    SwishOp,
    ExpOp,
    ReciprocalOp,
    GeluOp,
    SoftplusOp,
    MishOp,
    EluOp,
    SoftsignOp,
    ThresholdedReluOp,
    ShrinkOp,
)


def constraint_channel_slopes(op: PreluOp) -> str | None:
    """Slopes must be constants, one for all or one per channel (last axis).

    Export PRelu with constant slopes of shape (C, 1, 1), or write it as max(x, 0) + slope ·
    min(x, 0).
    """
    if not is_constant(op.slope):
        return "they are computed"
    shape = shape_of(op.slope)
    varies_elsewhere = any(extent != 1 for extent in shape[:-1])
    return f"they have shape {list(shape)}" if varies_elsewhere else None


CONSTRAINTS: ConstraintTable = {
    **dict.fromkeys(ACTIVATION_OPS, (constraint_float_data,)),
    PreluOp: (constraint_float_data, constraint_channel_slopes),
}

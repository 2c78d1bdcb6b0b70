"""Ops whose result has the scale of what they read: they move or select integers, no more."""

from __future__ import annotations

from xdsl.ir import Operation, SSAValue

from hbir.dialects.hbir.elementwise import MaxOp, MinOp
from hbir.dialects.hbir.move import ConcatOp, PadOp, ReshapeOp, SliceOp, TransposeOp
from hbir.dialects.hbir.pool import MaxPoolOp
from hbir.dialects.hbir.resize import Resize2dOp

KEEPING_OPS = (MaxPoolOp, PadOp, ReshapeOp, Resize2dOp, SliceOp, TransposeOp)
"""One operand; the result holds its elements (bilinear: means of them), or a pad's value."""

SELECTING_OPS = (MaxOp, MinOp)
"""Two operands that must come with one scale."""

JOINING_OPS = (ConcatOp, *SELECTING_OPS)
"""Several operands that must come with one scale."""


def scale_sources(op: Operation) -> tuple[SSAValue, ...]:
    """The operands whose scale the op's result has; none for an op that sets its own scale."""
    return tuple(op.operands) if isinstance(op, KEEPING_OPS + JOINING_OPS) else ()

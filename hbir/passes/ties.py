"""Ops whose result has the scale of what they read: they move or select integers, no more."""

from __future__ import annotations

from xdsl.ir import Operation, SSAValue

from hbir.dialects.hbir.comparison import WhereOp
from hbir.dialects.hbir.elementwise import MaxOp, MinOp
from hbir.dialects.hbir.grid_sample import GridSampleOp
from hbir.dialects.hbir.index import GatherElementsOp, IndexOp
from hbir.dialects.hbir.move import ConcatOp, PadOp, ReshapeOp, SliceOp, TileOp, TransposeOp
from hbir.dialects.hbir.pool import MaxPoolOp
from hbir.dialects.hbir.reduce import ReduceMaxOp, ReduceMinOp
from hbir.dialects.hbir.resize import Resize2dOp
from hbir.passes.graph import is_constant

INDEXING_OPS = (GatherElementsOp, IndexOp)
"""One tensor's elements by the integers of another; of a constant one the result sets the scale."""

REDUCING_OPS = (ReduceMaxOp, ReduceMinOp)

KEEPING_OPS = (
    *(MaxPoolOp, PadOp, ReshapeOp, Resize2dOp, SliceOp, TileOp, TransposeOp),
    *(*INDEXING_OPS, *REDUCING_OPS),
)
"""The result holds the first operand's elements (bilinear: means of them), or a pad's value."""

SELECTING_OPS = (MaxOp, MinOp, WhereOp)
"""Two operands that must come with one scale; a condition has its own."""

SAMPLING_OPS = (GridSampleOp,)
"""Two operands, the second of which says where to read the first."""

JOINING_OPS = (ConcatOp, *SELECTING_OPS)
"""Several operands that must come with one scale."""


def scale_sources(op: Operation) -> tuple[SSAValue, ...]:
    """The operands whose scale the op's result has; none for an op that sets its own scale."""
    if isinstance(op, WhereOp):
        return (op.lhs, op.rhs)
    if isinstance(op, INDEXING_OPS) and is_constant(op.x):
        return ()
    if isinstance(op, KEEPING_OPS + SAMPLING_OPS):
        return (op.x,)
    return tuple(op.operands) if isinstance(op, JOINING_OPS) else ()

"""Ops that move elements, and resizing."""

from __future__ import annotations

from hbir.dialects.hbir.move import ConcatOp, PadOp, ReshapeOp, SliceOp, TileOp, TransposeOp
from hbir.dialects.hbir.resize import Resize2dOp
from hbir.passes.constraints import ConstraintTable
from hbir.passes.constraints.common import constraint_float_data

MOVES = (ConcatOp, PadOp, ReshapeOp, SliceOp, TileOp, TransposeOp, Resize2dOp)

CONSTRAINTS: ConstraintTable = dict.fromkeys(MOVES, (constraint_float_data,))

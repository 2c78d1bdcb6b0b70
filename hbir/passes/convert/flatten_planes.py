"""Planes of images are shifted row by row, not pixel by pixel.

On chip the last axis is padded to the machine's lanes, so a plane of one or two bytes a pixel takes
the room and the time of 16. Its rows as the last axis take their own.
"""

from __future__ import annotations

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import BlockArgument
from xdsl.passes import ModulePass

from hbir.dialects.bpu.move import ReshapeOp
from hbir.dialects.bpu.requantize import RescaleOp
from hbir.ir.rewriter import Rewrite, apply_patterns
from hbir.ir.types import dtype_of, element_of, shape_of

NARROW_BYTES = 4
"""Bytes of a pixel up to which its channels lie in too few of the lanes."""


class FlattenPlanesPass(ModulePass):
    """A rescale of an input of few channels, (N, H, W, C), is one of (N, H, 1, W·C)."""

    name = "flatten-planes"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        apply_patterns(ctx, op, {RescaleOp: flatten})


def flatten(op: RescaleOp, rewrite: Rewrite) -> None:
    """Inputs only: they lie in DDR, where another shape costs nothing."""
    shape = shape_of(op.x)
    if not isinstance(op.x, BlockArgument) or len(shape) != 4 or shape[2] == 1:
        return
    if shape[3] * dtype_of(op.x).itemsize > NARROW_BYTES:
        return
    rows = ReshapeOp.make(op.x, shape=[*shape[:2], 1, shape[2] * shape[3]])
    shifted = RescaleOp.make(
        rows, element=element_of(op.output), **op.params_without_result()
    )  # fmt: skip
    rewrite.insert_all([rows, shifted], before=op)
    rewrite.replace(op, ReshapeOp.make(shifted, shape=list(shape)))

"""Image inputs, and casts of what they give."""

from __future__ import annotations

from hbir.dialects.hbir.cast import CastTypeOp
from hbir.dialects.hbir.image import ImageConvertOp, RoiResizeOp
from hbir.ir.types import F32, SI8, element_of
from hbir.passes.constraints import ConstraintTable


def constraint_cast(op: CastTypeOp) -> str | None:
    """A cast on the BPU is from si8 to f32, whose values are then integers of scale 1.

    Feed float32, or an image as si8 (insert_image_convert), and leave other casts outside
    the network.
    """
    source, target = element_of(op.x), element_of(op.output)
    return None if (source, target) == (SI8, F32) else f"this one is from {source} to {target}"


CONSTRAINTS: ConstraintTable = {
    CastTypeOp: (constraint_cast,),
    ImageConvertOp: (),
    RoiResizeOp: (),
}

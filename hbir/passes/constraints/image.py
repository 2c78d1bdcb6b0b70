"""Image inputs, and casts of what they give."""

from __future__ import annotations

from hbir.dialects.hbir.cast import CastTypeOp
from hbir.dialects.hbir.image import ImageConvertOp, RoiResizeOp
from hbir.ir.types import F32, SI8, element_of
from hbir.kernels.roi import PLANES
from hbir.passes.constraints import ConstraintTable


def constraint_cast(op: CastTypeOp) -> str | None:
    """A cast on the BPU is from si8 to f32, whose values are then integers of scale 1.

    Feed float32, or an image as si8 (insert_image_convert), and leave other casts outside
    the network.
    """
    source, target = element_of(op.x), element_of(op.output)
    return None if (source, target) == (SI8, F32) else f"this one is from {source} to {target}"


def constraint_resizer_result(op: RoiResizeOp) -> str | None:
    """The resizer goes corner to corner, so each plane of its result has at least two rows and
    columns.

    Let the network take an image of at least 2x2, of NV12 at least 4x4.
    """
    size, mode = op.params()["size"], op.params()["mode"]
    least = min(min(size) // pixels for _, pixels in PLANES[mode])
    return None if least >= 2 else f"this one is {mode} of {size[0]}x{size[1]}"


CONSTRAINTS: ConstraintTable = {
    CastTypeOp: (constraint_cast,),
    ImageConvertOp: (),
    RoiResizeOp: (constraint_resizer_result,),
}

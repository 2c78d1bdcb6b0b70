"""Image inputs: planes of a camera as si8 channels, which have scale 1 and zero point 0."""

from __future__ import annotations

from xdsl.ir import Operation, SSAValue

from hbir.dialects.bpu.image import RoiResizeOp as BpuRoiResizeOp
from hbir.dialects.bpu.move import ConcatOp, ReshapeOp
from hbir.dialects.bpu.requantize import RescaleOp
from hbir.dialects.bpu.resize import Resize2dOp
from hbir.dialects.hbir.cast import CastTypeOp
from hbir.dialects.hbir.image import ImageConvertOp, RoiResizeOp
from hbir.ir.op import TensorOp
from hbir.ir.types import SI8, shape_of
from hbir.kernels.float.image import SIGNED_OFFSET
from hbir.kernels.parameters import rescale_parameters, resize_parameters
from hbir.passes.convert.lower_to_bpu.lowering import Lowering, LoweringFunction, Quantized
from hbir.passes.convert.lower_to_bpu.move import keep_scale
from hbir.passes.fake_quant import Quantization

UNSCALED = Quantization(1.0, 0, 8)
"""Integers that are the values themselves."""


def lower_image_convert(op: ImageConvertOp, lowering: Lowering) -> TensorOp:
    """Each plane less 128, chroma repeated 2×2 by a nearest resize, and the planes concatenated."""
    luma = _centred(op.y)
    if not op.chroma:
        return luma
    chroma = lowering.insert(_centred(op.chroma[0]))
    height, width = shape_of(op.y)[1:3]
    halves = resize_parameters((0.5, 0.5), (0.0, 0.0), mode="nearest", nearest_mode="floor")
    repeated = Resize2dOp.make(
        chroma, size=[height, width], mode="nearest", nearest_mode="floor", **halves
    )
    planes = (lowering.insert(luma), lowering.insert(repeated))
    return ConcatOp.make(*planes, dim=3)


def lower_roi_resize(op: RoiResizeOp, lowering: Lowering) -> TensorOp:
    """The same op on the resizer, which reads the planes where they are."""
    del lowering
    return BpuRoiResizeOp.make(op.roi, op.y, *op.chroma, **op.params())


def _centred(plane: SSAValue) -> RescaleOp:
    same = rescale_parameters(1.0, 1.0)
    return RescaleOp.make(plane, element=SI8, input_zero_point=SIGNED_OFFSET, **same)


def lower_cast(op: CastTypeOp, lowering: Lowering) -> TensorOp:
    """Nothing but, where the result has another scale than 1, a requantization."""
    whole = ReshapeOp.make(op.x, shape=list(shape_of(op.x)))
    return keep_scale(whole, Quantized(op.x, UNSCALED), lowering)


LOWERINGS: dict[type[Operation], LoweringFunction] = {
    CastTypeOp: lower_cast,
    ImageConvertOp: lower_image_convert,
    RoiResizeOp: lower_roi_resize,
}

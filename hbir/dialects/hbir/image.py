"""Image inputs: planes as a camera gives them, the resizer, colour conversion, normalisation."""

from __future__ import annotations

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute
from xdsl.irdl import (
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    result_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import Pure

from hbir.dialects.checks import expect, expect_one_of, expect_rank
from hbir.dialects.hbir.base import FloatOp
from hbir.dialects.properties import (
    bool_property,
    float_list_property,
    float_property,
    int_list_property,
    string_property,
)
from hbir.dialects.roi import roi_resized_shape
from hbir.ir.op import Operands, Params, Shape, ShapeError, TensorOp
from hbir.ir.types import SI8, UI8
from hbir.kernels.float.image import COLOUR_SPACES

CONVERT_MODES = ("NV12", "GRAY")


@irdl_op_definition
class ImageConvertOp(TensorOp):
    """The planes of an image, ui8, as the channels of one tensor, si8: each value less 128.

    NV12: y (N, H, W, 1) and uv (N, H/2, W/2, 2), whose values stand for 2x2 pixels, give
    (N, H, W, 3). GRAY: y alone gives (N, H, W, 1).
    """

    name = "hbir.image_convert"

    y = operand_def(TensorType)
    chroma = var_operand_def(TensorType)
    mode = string_property("NV12")
    result = result_def(TensorType)

    assembly_format = "$y (`,` $chroma^)? attr-dict `:` functional-type(operands, results)"
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        expect_one_of(params["mode"], CONVERT_MODES, "mode")
        batch, height, width, channels = expect_rank(operands[0], "y", 4, "(N, H, W, 1)")
        expect(channels == 1, f"y must have one channel, got {channels}")
        planes = 2 if params["mode"] == "NV12" else 1
        expect(
            len(operands) == planes,
            f"{params['mode']} has {planes} plane{'s'[: planes - 1]}, got {len(operands)}",
        )
        if planes == 1:
            return batch, height, width, 1
        got = expect_rank(operands[1], "uv", 4, "(N, H/2, W/2, 2)")
        expect(
            height % 2 == width % 2 == 0,
            f"NV12 needs an even height and width, got {height}x{width}",
        )
        half = (batch, height // 2, width // 2, 2)
        expect(got == half, f"uv must be {list(half)} for y of {height}x{width}, got {list(got)}")
        return batch, height, width, 3

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        for operand in operands:
            if operand.get_element_type() != UI8:
                raise ShapeError(f"planes must be ui8, got {operand.get_element_type()}")
        return SI8


@irdl_op_definition
class RoiResizeOp(TensorOp):
    """A region of interest of an image of any size, cropped and resized to size, as the channels of
    one tensor, si8: each value less 128.

    y (1, H, W, 1) and, for mode NV12, uv (1, H/2, W/2, 2) are ui8 inputs with `dynamic_dims = [-2,
    -3]`: each run gives H and W. roi: (left, top, right, bottom), si32 (1, 4), corners included.
    Each plane's crop is resized corner to corner, uv's (half of the roi) to half of size and then
    repeated 2x2. Outside of the image is padValue of Y and of UV, bytes modulo 256 (expansionMode
    "constant"; the default is black), or the image's nearest pixel ("border").
    """

    name = "hbir.roi_resize"

    y = operand_def(TensorType)
    chroma = var_operand_def(TensorType)
    roi = operand_def(TensorType)
    size = int_list_property()
    mode = string_property("NV12")
    interpolate_mode = string_property("bilinear", "interpolateMode")
    expansion_mode = string_property("constant", "expansionMode")
    pad_value = int_list_property([0, -128], "padValue")
    result = result_def(TensorType)

    assembly_format = (
        "$y (`,` $chroma^)? `roi` $roi attr-dict `:` functional-type(operands, results)"
    )
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        *planes, roi = operands
        return roi_resized_shape(planes, roi, params)

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        return SI8


@irdl_op_definition
class ImagePreprocessOp(FloatOp):
    """((csc(u) / divisor) − mean) / sd per channel of the last axis, u being x + 128 where x is
    signed, else x.

    csc: `skip`, a BT.601 conversion of YUV, whose result is limited to 0...255, or `bgr2rgb`,
    `rgb2bgr`; all but skip have three channels. mean, sd: one number, or one per channel.
    """

    name = "hbir.image_preprocess"

    x = operand_def(TensorType)
    csc = string_property("skip")
    divisor = float_property(1.0)
    mean = float_list_property([0.0])
    sd = float_list_property([1.0])
    signed = bool_property(True)
    result = result_def(TensorType)

    assembly_format = "$x attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        shape = operands[0].get_shape()
        expect(len(shape) >= 1, "x must be (..., C), got a scalar")
        expect_one_of(params["csc"], tuple(COLOUR_SPACES), "csc")
        channels = shape[-1]
        expect(
            params["csc"] == "skip" or channels == 3,
            f"csc {params['csc']} needs three channels last, got {channels}",
        )
        expect(params["divisor"] != 0, "divisor must not be 0")
        for key in ("mean", "sd"):
            count = len(params[key])
            expect(count in (1, channels), f"{key} must have 1 or {channels} numbers, got {count}")
        expect(all(number != 0 for number in params["sd"]), "sd must not hold 0")
        return shape

"""Images as they come from a camera: the resizer."""

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

from hbir.dialects.checks import expect, int_list
from hbir.dialects.properties import (
    int_list_property,
    optional_int_list_property,
    string_property,
)
from hbir.dialects.roi import roi_resized_shape
from hbir.ir.op import Operands, Params, Shape, TensorOp
from hbir.ir.types import SI8


@irdl_op_definition
class RoiResizeOp(TensorOp):
    """y = the region of interest of an image in DDR, cropped, resized to size and less 128.

    roi: (left, top, right, bottom), si32; planes: y (1, H, W, 1) and for NV12 uv (1, H/2, W/2, 2),
    ui8, inputs whose H and W each run gives. Source positions have 16 fraction bits: step =
    (((source − 1) << 16) + (target − 1)/2)/(target − 1). bilinear is (Σ of four pixels · wy · wx +
    2^31) >> 32, nearest rounds half up. Outside of the image is padValue modulo 256 (expansionMode
    "constant"), or its nearest pixel ("border"). A tile computed alone says where it lies in the
    whole of [H, W] = size: outOffset is its first row and column, outSize its own [H, W] (left out:
    the whole).
    """

    name = "bpu.roi_resize"

    roi = operand_def(TensorType)
    planes = var_operand_def(TensorType)
    size = int_list_property()
    mode = string_property("NV12")
    interpolate_mode = string_property("bilinear", "interpolateMode")
    expansion_mode = string_property("constant", "expansionMode")
    pad_value = int_list_property([0, -128], "padValue")
    out_offset = int_list_property([0, 0], "outOffset")
    out_size = optional_int_list_property("outSize")
    result = result_def(TensorType)

    assembly_format = "$roi `of` $planes attr-dict `:` functional-type(operands, results)"
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        roi, *planes = operands
        batch, height, width, channels = roi_resized_shape(planes, roi, params)
        offset = int_list(params, "out_offset", 2, minimum=0, name="outOffset")
        if params.get("out_size") is None:
            expect(offset == (0, 0), f"outOffset {list(offset)} needs an outSize")
            return batch, height, width, channels
        rows, columns = int_list(params, "out_size", 2, minimum=1, name="outSize")
        expect(
            offset[0] + rows <= height and offset[1] + columns <= width,
            f"a tile of {rows}x{columns} from {list(offset)} must lie in {height}x{width}",
        )
        return batch, rows, columns, channels

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        return SI8

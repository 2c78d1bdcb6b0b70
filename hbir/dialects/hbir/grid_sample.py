"""Sampling of an image at positions that are data."""

from __future__ import annotations

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.checks import expect_one_of
from hbir.dialects.hbir.base import FloatOp
from hbir.dialects.properties import bool_property, float_property, string_property
from hbir.dialects.shapes import grid_sampled_shape
from hbir.ir.op import Operands, Params, Shape
from hbir.kernels.float.grid_sample import EXPANSION_MODES, MODES


@irdl_op_definition
class GridSampleOp(FloatOp):
    """Samples x: (N, H, W, C) at the (column, row) of grid: (N, OH, OW, 2) → (N, OH, OW, C).

    Coordinates −1 and 1 are the edges of the image, or with alignCorner the centres of its
    outermost elements. mode "bilinear" mixes the four elements around a position, "nearest" takes
    the nearest (ties to even). Outside is padValue (expansionMode "constant") or the nearest
    element ("border").
    """

    name = "hbir.grid_sample"

    x = operand_def(TensorType)
    grid = operand_def(TensorType)
    mode = string_property("bilinear")
    expansion_mode = string_property("constant", "expansionMode")
    align_corner = bool_property(False, "alignCorner")
    pad_value = float_property(0.0, "padValue")
    result = result_def(TensorType)

    assembly_format = "$x `,` $grid attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        expect_one_of(params["mode"], MODES, "mode")
        expect_one_of(params["expansion_mode"], EXPANSION_MODES, "expansionMode")
        return grid_sampled_shape(operands[0].get_shape(), operands[1].get_shape())

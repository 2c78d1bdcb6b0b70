"""Resizing of H and W by sampling."""

from __future__ import annotations

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.checks import expect, expect_one_of, expect_rank, int_list
from hbir.dialects.hbir.base import FloatOp
from hbir.dialects.properties import float_list_property, int_list_property, string_property
from hbir.ir.op import Operands, Params, Shape
from hbir.kernels.float.resize import MODES, NEAREST_MODES


@irdl_op_definition
class Resize2dOp(FloatOp):
    """Samples x: (N, H, W, C) at positions step · i + initialOffset, for i in 0 … size − 1.

    Positions are those of elements (0 is the first, H − 1 the last), clamped to the border. size,
    step and initialOffset are [H, W] lists. mode "bilinear" mixes the four elements around a
    position; "nearest" takes one, the position being rounded as nearestMode says.
    """

    name = "hbir.resize2d"

    x = operand_def(TensorType)
    size = int_list_property()
    step = float_list_property()
    initial_offset = float_list_property([0.0, 0.0], "initialOffset")
    mode = string_property("nearest")
    nearest_mode = string_property("round_prefer_floor", "nearestMode")
    result = result_def(TensorType)

    assembly_format = "$x attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        batch, height, width, channels = expect_rank(operands[0], "x", 4, "(N, H, W, C)")
        size = int_list(params, "size", 2, minimum=1)
        expect(len(params["step"]) == 2, f"step must have 2 entries, got {list(params['step'])}")
        offset = params["initial_offset"]
        expect(len(offset) == 2, f"initialOffset must have 2 entries, got {list(offset)}")
        expect_one_of(params["mode"], MODES, "mode")
        expect_one_of(params["nearest_mode"], NEAREST_MODES, "nearestMode")
        expect(height >= 1 and width >= 1, "x must have at least one element to sample")
        return batch, *size, channels

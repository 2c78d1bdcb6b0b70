"""Integer convolution; a transposed one is the same op with its input spread."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, opt_operand_def, result_def

from hbir.dialects.bpu.base import (
    ACTIVATIONS,
    WITH_FLOAT,
    IntegerOp,
    expect_result_zero_point,
    expect_table,
    expect_zero_point,
)
from hbir.dialects.checks import expect, expect_rank, int_list
from hbir.dialects.properties import (
    int_list_property,
    int_property,
    optional_int_list_property,
)
from hbir.ir.op import Operands, Params, Shape
from hbir.ir.types import F16, SI32, AnyTensor, tensor_type
from hbir.kernels.window import window_shape


@irdl_op_definition
class Conv2dOp(IntegerOp):
    """Integer convolution with groups, requantized per output channel.

    acc[n,i,j,o] = Σ x'[n, i·stride₀ + kh·dilation₀, j·stride₁ + kw·dilation₁, g·Cin/G + c]
                   · w[o,kh,kw,c],   g = o // (Cout/G)
    y = clip(sat(((acc + bias + R)·m + 2^(s−1)) >> s) + outputZeroPoint)
    R = residual·mr·2^−sr, rounded half up when sr > 0.

    x' is x with inputDilation − 1 elements padValue between neighbours (a transposed convolution
    with its kernel flipped), then padded with padValue; negative pads crop. padValue is x's zero
    point, whose share of the sum is folded into bias.
    x: (N, H, W, Cin) si8 or si16; w: (Cout, KH, KW, Cin/groupNum) si8 or
    si16. qpp: si32 (Cout, 3), columns
    bias, m, s; with a residual, of the result's shape, (Cout, 5): and mr, sr (−16 … 62).
    The accumulator has 32 bits where x and w are si8, else 48. A result of si32 is acc + bias + R
    itself, which must fit: clipped, not requantized, and outputZeroPoint must be 0.
    A result of f16 is clip(f16((acc + bias + R)·m·2^−s)), the value itself, since f16 has scale 1.
    There a residual may be f16, with a qpp of 3 columns: it is added before that one rounding.
    """

    name = "bpu.conv2d"

    x = operand_def(TensorType)
    w = operand_def(TensorType)
    qpp = operand_def(TensorType)
    residual = opt_operand_def(TensorType)
    stride = int_list_property([1, 1])
    pad = int_list_property([0, 0, 0, 0])
    dilation = int_list_property([1, 1])
    group_num = int_property(1, "groupNum")
    input_dilation = int_list_property([1, 1], "inputDilation")
    pad_value = int_property(0, "padValue")
    output_zero_point = int_property(0, "outputZeroPoint")
    clip = optional_int_list_property()
    result = result_def(TensorType)

    assembly_format = (
        "$x `,` $w `,` $qpp (`,` $residual^)? attr-dict `:` functional-type(operands, results)"
    )

    ELEMENTS: ClassVar = (*WITH_FLOAT, SI32)
    OPERAND_ELEMENTS: ClassVar = (ACTIVATIONS, ACTIVATIONS, (SI32,), WITH_FLOAT)

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        batch, height, width, in_channels = expect_rank(operands[0], "x", 4, "(N, H, W, Cin)")
        filters = expect_rank(operands[1], "w", 4, "(Cout, KH, KW, Cin/groupNum)")
        out_channels, *kernel, group_channels = filters
        groups: int = params["group_num"]
        expect(groups >= 1, f"groupNum must be at least 1, got {groups}")
        expect(
            in_channels == group_channels * groups,
            f"w of shape {list(filters)} with groupNum {groups} takes"
            f" {group_channels * groups} input channels, x has {in_channels}",
        )
        expect(
            out_channels % groups == 0,
            f"{out_channels} output channels can't be divided into groupNum {groups}",
        )
        stride = int_list(params, "stride", 2, minimum=1)
        pad = int_list(params, "pad", 4)
        dilation = int_list(params, "dilation", 2, minimum=1)
        spread = int_list(params, "input_dilation", 2, minimum=1, name="inputDilation")
        size = ((height - 1) * spread[0] + 1, (width - 1) * spread[1] + 1)
        height, width = window_shape(size, kernel, stride, pad, dilation)
        expect(
            height >= 1 and width >= 1,
            f"a {kernel[0]}x{kernel[1]} window with dilation {list(dilation)} does not fit into an"
            f" input of {size[0]}x{size[1]} with pad {list(pad)}",
        )
        shape = batch, height, width, out_channels
        integers = len(operands) == 4 and operands[3].get_element_type() != F16
        expect_table(operands[2], "qpp", (out_channels, 5 if integers else 3))
        if len(operands) == 4:
            expect_table(operands[3], "residual", shape)
        return shape

    @override
    def check_result(self, params: Params, result: AnyTensor) -> None:
        x = tensor_type(self.operands[0])
        expect_zero_point(params["pad_value"], x, "padValue")
        expect_result_zero_point(params["output_zero_point"], result)
        float_residual = any(
            tensor_type(operand).get_element_type() == F16 for operand in self.operands[3:]
        )
        if float_residual:
            expect(
                result.get_element_type() == F16,
                f"a residual of f16 needs a result of f16, got {result.get_element_type()}",
            )
        if result.get_element_type() in WITH_FLOAT:
            return
        expect(
            params["output_zero_point"] == 0,
            f"a raw accumulator has outputZeroPoint 0, got {params['output_zero_point']}",
        )

"""Convolution and its transpose."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, opt_operand_def, result_def

from hbir.dialects.checks import expect, expect_rank, int_list
from hbir.dialects.hbir.base import FloatOp
from hbir.dialects.properties import int_list_property, int_property
from hbir.ir.op import Operands, Params, Shape
from hbir.ir.types import AnyTensor
from hbir.kernels.window import transposed_window_shape, window_shape


@irdl_op_definition
class Conv2dOp(FloatOp):
    """Two-dimensional convolution of channel-last activations, with groups.

    output[n, i, j, o] = bias[o] + Σ_{kh, kw, c}
        x[n, i·stride₀ + kh·dilation₀ − top, j·stride₁ + kw·dilation₁ − left, g·Cin/G + c]
        · w[o, kh, kw, c],   g = o // (Cout/G); positions outside x count 0.

    x: (N, H, W, Cin); w: (Cout, KH, KW, Cin/groupNum); bias: (Cout). pad: [top, left, bottom,
    right]; negative pads crop. A depthwise convolution has groupNum = Cin.
    """

    name = "hbir.conv2d"

    x = operand_def(TensorType)
    w = operand_def(TensorType)
    bias = opt_operand_def(TensorType)
    stride = int_list_property([1, 1])
    pad = int_list_property([0, 0, 0, 0])
    dilation = int_list_property([1, 1])
    group_num = int_property(1, "groupNum")
    result = result_def(TensorType)

    assembly_format = "$x `,` $w (`,` $bias^)? attr-dict `:` functional-type(operands, results)"

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
        _expect_divisible(out_channels, groups, "output")
        _expect_bias(operands, out_channels)
        stride = int_list(params, "stride", 2, minimum=1)
        pad = int_list(params, "pad", 4)
        dilation = int_list(params, "dilation", 2, minimum=1)
        height, width = window_shape((height, width), kernel, stride, pad, dilation)
        expect(
            height >= 1 and width >= 1,
            f"a {kernel[0]}x{kernel[1]} window with dilation {list(dilation)} does not fit into x"
            f" of shape {list(operands[0].get_shape())} with pad {list(pad)}",
        )
        return batch, height, width, out_channels


@irdl_op_definition
class ConvTransposeOp(FloatOp):
    """Transposed convolution: the gradient of `hbir.conv2d` with respect to its input.

    output[n, p, q, o] = bias[o] + Σ x[n, i, j, g·Cin/G + c] · w[g·Cin/G + c, kh, kw, o − g·Cout/G]
        over i·stride₀ + kh·dilation₀ = p + top and j·stride₁ + kw·dilation₁ = q + left.

    x: (N, H, W, Cin); w: (Cin, KH, KW, Cout/groupNum); bias: (Cout). Extent of the result:
    (size − 1)·stride + (k − 1)·dilation + 1 − pads. pad: [top, left, bottom, right] is cut off the
    result; a negative bottom or right pad lengthens it (`output_padding`).
    """

    name = "hbir.convtranspose"

    x = operand_def(TensorType)
    w = operand_def(TensorType)
    bias = opt_operand_def(TensorType)
    stride = int_list_property([1, 1])
    pad = int_list_property([0, 0, 0, 0])
    dilation = int_list_property([1, 1])
    group_num = int_property(1, "groupNum")
    result = result_def(TensorType)

    assembly_format = "$x `,` $w (`,` $bias^)? attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        batch, height, width, in_channels = expect_rank(operands[0], "x", 4, "(N, H, W, Cin)")
        filters = expect_rank(operands[1], "w", 4, "(Cin, KH, KW, Cout/groupNum)")
        filter_channels, *kernel, group_channels = filters
        groups: int = params["group_num"]
        expect(groups >= 1, f"groupNum must be at least 1, got {groups}")
        expect(
            in_channels == filter_channels,
            f"w of shape {list(filters)} takes {filter_channels} input channels, x has"
            f" {in_channels}",
        )
        _expect_divisible(in_channels, groups, "input")
        _expect_bias(operands, group_channels * groups)
        stride = int_list(params, "stride", 2, minimum=1)
        pad = int_list(params, "pad", 4)
        dilation = int_list(params, "dilation", 2, minimum=1)
        height, width = transposed_window_shape((height, width), kernel, stride, pad, dilation)
        expect(
            height >= 1 and width >= 1,
            f"pad {list(pad)} leaves nothing of the result ({height}x{width})",
        )
        return batch, height, width, group_channels * groups


def _expect_divisible(channels: int, groups: int, which: str) -> None:
    expect(
        channels % groups == 0,
        f"{channels} {which} channels can't be divided into groupNum {groups}",
    )


def _expect_bias(operands: Sequence[AnyTensor], out_channels: int) -> None:
    if len(operands) < 3:
        return
    shape = operands[2].get_shape()
    expect(shape == (out_channels,), f"bias must be ({out_channels},), got shape {list(shape)}")

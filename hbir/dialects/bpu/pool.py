"""Max and average pooling."""

from __future__ import annotations

from math import prod
from typing import ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.bpu.base import (
    ACTIVATIONS,
    WITH_FLOAT,
    IntegerOp,
    KeepingOp,
    expect_table,
    expect_zero_point,
)
from hbir.dialects.checks import expect, expect_rank, int_list
from hbir.dialects.properties import bool_property, int_list_property, int_property
from hbir.ir.op import Operands, Params, Shape
from hbir.ir.types import SI32, AnyTensor
from hbir.kernels.window import window_shape


def pool_shape(x: AnyTensor, params: Params) -> tuple[int, ...]:
    batch, height, width, channels = expect_rank(x, "x", 4, "(N, H, W, C)")
    kernel = int_list(params, "kernel", 2, minimum=1)
    stride = int_list(params, "stride", 2, minimum=1)
    pad = int_list(params, "pad", 4)
    dilation = (1, 1)
    if "dilation" in params:
        dilation = int_list(params, "dilation", 2, minimum=1)
    out_height, out_width = window_shape((height, width), kernel, stride, pad, dilation)
    expect(
        out_height >= 1 and out_width >= 1,
        f"a {kernel[0]}x{kernel[1]} window does not fit into an input of {height}x{width} with pad"
        f" {list(pad)}",
    )
    return batch, out_height, out_width, channels


@irdl_op_definition
class MaxPoolOp(KeepingOp):
    """The maximum of each window; padding is the element type's smallest number.

    x: (N, H, W, C). Scale and zero point stay. ONNX's ceil mode is expressed by the end pads.
    """

    name = "bpu.max_pool"

    x = operand_def(TensorType)
    kernel = int_list_property()
    stride = int_list_property([1, 1])
    pad = int_list_property([0, 0, 0, 0])
    dilation = int_list_property([1, 1])
    result = result_def(TensorType)

    assembly_format = "$x attr-dict `:` functional-type(operands, results)"

    ELEMENTS: ClassVar = WITH_FLOAT

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return pool_shape(operands[0], params)


@irdl_op_definition
class AvgPoolOp(IntegerOp):
    """y = sat(((S·m[n] + 2^(s[n]−1)) >> s[n]) + outputZeroPoint), S = Σ (x − inputZeroPoint).

    The sum is over the window's elements inside x, n of them. qpp: si32, columns m, s: (1, 2) when
    countIncludePad (every window divides by KH·KW), else (KH·KW + 1, 2), a row per n = 0 … KH·KW.
    """

    name = "bpu.avg_pool"

    x = operand_def(TensorType)
    qpp = operand_def(TensorType)
    kernel = int_list_property()
    stride = int_list_property([1, 1])
    pad = int_list_property([0, 0, 0, 0])
    input_zero_point = int_property(0, "inputZeroPoint")
    output_zero_point = int_property(0, "outputZeroPoint")
    count_include_pad = bool_property(True, "countIncludePad")
    result = result_def(TensorType)

    assembly_format = "$x `,` $qpp attr-dict `:` functional-type(operands, results)"

    OPERAND_ELEMENTS: ClassVar = (ACTIVATIONS, (SI32,))

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        shape = pool_shape(operands[0], params)
        rows = 1 if params["count_include_pad"] else prod(params["kernel"]) + 1
        expect_table(operands[1], "qpp", (rows, 2))
        expect_zero_point(params["input_zero_point"], operands[0], "inputZeroPoint")
        return shape

"""Pooling over windows of H and W."""

from __future__ import annotations

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.checks import expect, expect_rank, int_list
from hbir.dialects.hbir.base import FloatOp
from hbir.dialects.properties import bool_property, int_list_property
from hbir.ir.op import Operands, Params, Shape
from hbir.kernels.window import window_shape


class PoolOp(FloatOp):
    """One value of each window and channel of x: (N, H, W, C).

    pad: [top, left, bottom, right], each less than the window's extent. ceilMode rounds the number
    of windows up (`hbir.kernels.window.window_positions`).
    """

    x = operand_def(TensorType)
    kernel = int_list_property()
    stride = int_list_property([1, 1])
    pad = int_list_property([0, 0, 0, 0])
    dilation = int_list_property([1, 1])
    ceil_mode = bool_property(False, "ceilMode")
    result = result_def(TensorType)

    assembly_format = "$x attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        batch, height, width, channels = expect_rank(operands[0], "x", 4, "(N, H, W, C)")
        kernel = int_list(params, "kernel", 2, minimum=1)
        stride = int_list(params, "stride", 2, minimum=1)
        pad = int_list(params, "pad", 4, minimum=0)
        dilation = int_list(params, "dilation", 2, minimum=1)
        extents = [(kernel[axis] - 1) * dilation[axis] + 1 for axis in range(2)]
        expect(
            all(pad[side] < extents[side % 2] for side in range(4)),
            f"pad must be less than the window's extent {extents}, got {list(pad)}",
        )
        height, width = window_shape(
            (height, width), kernel, stride, pad, dilation, ceil_mode=params["ceil_mode"]
        )
        expect(
            height >= 1 and width >= 1,
            f"a {kernel[0]}x{kernel[1]} window with dilation {list(dilation)} does not fit into x"
            f" of shape {list(operands[0].get_shape())} with pad {list(pad)}",
        )
        return batch, height, width, channels


@irdl_op_definition
class MaxPoolOp(PoolOp):
    """The greatest element of each window; padding never wins."""

    name = "hbir.max_pool"


@irdl_op_definition
class AvgPoolOp(PoolOp):
    """The mean of each window: the sum of its elements divided by how many there are.

    With countIncludePad the padded positions count too (as zeros), but not what a window of
    ceilMode reaches beyond the padding.
    """

    name = "hbir.avg_pool"

    count_include_pad = bool_property(True, "countIncludePad")

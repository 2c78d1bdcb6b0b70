"""Resizing by fixed-point source positions."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.bpu.base import WITH_FLOAT, KeepingOp
from hbir.dialects.checks import expect, expect_one_of, expect_rank, int_list
from hbir.dialects.properties import (
    int_list_property,
    int_property,
    optional_int_list_property,
    string_property,
)
from hbir.ir.op import Operands, Params, Shape
from hbir.kernels.parameters import RESIZE_FRACTION_BITS, RESIZE_WEIGHT_BITS

_MODES = ("nearest", "bilinear")
_NEAREST_MODES = ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")
_POSITION_BITS = 62


@irdl_op_definition
class Resize2dOp(KeepingOp):
    """y[i, j] = x sampled at step·(i + outOffset) + initialOffset, clamped to x's whole extent.

    Positions have `fractionBits` fraction bits. nearest rounds them by nearestMode; bilinear is
    (Σ of four neighbours · wy · wx + 2^21) >> 22 with 11-bit weights. Scale and zero point stay.
    x: (N, H, W, C). A tile computed alone says where it lies: outOffset is its first output row
    and column, inOffset the first row and column of the whole input that x holds, inSize the whole
    input's [H, W] (left out: x's own).
    """

    name = "bpu.resize2d"

    x = operand_def(TensorType)
    size = int_list_property()
    step = int_list_property()
    initial_offset = int_list_property(None, "initialOffset")
    mode = string_property()
    nearest_mode = string_property("round_prefer_floor", "nearestMode")
    fraction_bits = int_property(RESIZE_FRACTION_BITS, "fractionBits")
    out_offset = int_list_property([0, 0], "outOffset")
    in_offset = int_list_property([0, 0], "inOffset")
    in_size = optional_int_list_property("inSize")
    result = result_def(TensorType)

    assembly_format = "$x attr-dict `:` functional-type(operands, results)"

    ELEMENTS: ClassVar = WITH_FLOAT

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        batch, _, _, channels = expect_rank(operands[0], "x", 4, "(N, H, W, C)")
        size = int_list(params, "size", 2, minimum=1)
        step = int_list(params, "step", 2)
        offset = int_list(params, "initial_offset", 2, name="initialOffset")
        first = int_list(params, "out_offset", 2, minimum=0, name="outOffset")
        int_list(params, "in_offset", 2, minimum=0, name="inOffset")
        if params.get("in_size") is not None:
            int_list(params, "in_size", 2, minimum=1, name="inSize")
        expect_one_of(params["mode"], _MODES, "mode")
        expect_one_of(params["nearest_mode"], _NEAREST_MODES, "nearestMode")
        bits: int = params["fraction_bits"]
        expect(
            RESIZE_WEIGHT_BITS < bits <= RESIZE_FRACTION_BITS,
            f"fractionBits must be in {RESIZE_WEIGHT_BITS + 1}..{RESIZE_FRACTION_BITS}, got {bits}",
        )
        for axis in range(2):
            last = abs(step[axis]) * (first[axis] + size[axis]) + abs(offset[axis])
            expect(
                last < 1 << _POSITION_BITS,
                f"positions must stay below 2^{_POSITION_BITS}; step {step[axis]} over"
                f" {first[axis] + size[axis]} outputs exceeds it",
            )
        return batch, size[0], size[1], channels

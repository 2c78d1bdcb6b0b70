"""Sampling of an image at positions that are data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.bpu.base import (
    ACTIVATIONS,
    WITH_FLOAT,
    KeepingOp,
    expect_elements,
    expect_zero_point,
)
from hbir.dialects.checks import expect, expect_one_of, int_list
from hbir.dialects.properties import int_list_property, int_property, string_property
from hbir.dialects.shapes import grid_sampled_shape
from hbir.ir.op import Operands, Params, Shape
from hbir.kernels.float.grid_sample import EXPANSION_MODES, MODES
from hbir.kernels.parameters import RESIZE_FRACTION_BITS, RESIZE_WEIGHT_BITS

_POSITION_BITS = 62


@irdl_op_definition
class GridSampleOp(KeepingOp):
    """y = x sampled at the rows step₀·grid[…, 1] + initialOffset₀ and columns
    step₁·grid[…, 0] + initialOffset₁.

    x: (N, H, W, C), grid: (N, OH, OW, 2), si16 for the most part. Positions have `fractionBits`
    fraction bits. bilinear is (Σ of four neighbours · wy · wx + 2^21) >> 22 with 11-bit weights,
    nearest rounds half up. Outside is padValue (expansionMode "constant"), or positions are
    limited to the image ("border"). Scale and zero point of x stay.
    """

    name = "bpu.grid_sample"

    x = operand_def(TensorType)
    grid = operand_def(TensorType)
    step = int_list_property()
    initial_offset = int_list_property(None, "initialOffset")
    mode = string_property("bilinear")
    expansion_mode = string_property("constant", "expansionMode")
    pad_value = int_property(0, "padValue")
    fraction_bits = int_property(RESIZE_FRACTION_BITS, "fractionBits")
    result = result_def(TensorType)

    assembly_format = "$x `,` $grid attr-dict `:` functional-type(operands, results)"

    ELEMENTS: ClassVar = WITH_FLOAT

    @property
    @override
    def kept_operands(self) -> Sequence[SSAValue]:
        return (self.x,)

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        expect_elements(cls, operands, (WITH_FLOAT, ACTIVATIONS))
        return operands[0].get_element_type()

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        expect_one_of(params["mode"], MODES, "mode")
        expect_one_of(params["expansion_mode"], EXPANSION_MODES, "expansionMode")
        expect_zero_point(params["pad_value"], operands[0], "padValue")
        step = int_list(params, "step", 2)
        offset = int_list(params, "initial_offset", 2, name="initialOffset")
        bits: int = params["fraction_bits"]
        expect(
            RESIZE_WEIGHT_BITS < bits <= RESIZE_FRACTION_BITS,
            f"fractionBits must be in {RESIZE_WEIGHT_BITS + 1}..{RESIZE_FRACTION_BITS}, got {bits}",
        )
        for axis in range(2):
            expect(
                abs(step[axis]) * (1 << 16) + abs(offset[axis]) < 1 << _POSITION_BITS,
                f"positions must stay below 2^{_POSITION_BITS}; step {step[axis]} and"
                f" initialOffset {offset[axis]} exceed it",
            )
        return grid_sampled_shape(operands[0].get_shape(), operands[1].get_shape())

"""Element-wise integer ops with NumPy broadcasting."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.bpu.base import (
    ACTIVATIONS,
    IntegerOp,
    KeepingOp,
    expect_multiplier,
    expect_shift,
    expect_table,
    expect_zero_point,
)
from hbir.dialects.checks import broadcast_shape, expect, int_list
from hbir.dialects.properties import (
    int_list_property,
    int_property,
    optional_int_list_property,
)
from hbir.ir.op import Operands, Params, Shape
from hbir.ir.types import SI32
from hbir.kernels.parameters import MULTIPLIER_MAX, MULTIPLIER_MIN

_BINARY = "$x `,` $y attr-dict `:` functional-type(operands, results)"


@irdl_op_definition
class AddOp(IntegerOp):
    """y = clip(sat(((x·mx + y·my + bias + 2^(shift−1)) >> shift) + outputZeroPoint)).

    multipliers [mx, my]: the larger one's magnitude is in 2^14 … 2^15−1, the other one is on the
    same shift; a subtraction has my < 0. bias = −(zx·mx + zy·my) folds the inputs' zero points.
    Where one operand is si8 and the other si16, the si8 one (and its zero point) counts 2^7 times.
    """

    name = "bpu.add"

    x = operand_def(TensorType)
    y = operand_def(TensorType)
    multipliers = int_list_property()
    shift = int_property()
    bias = int_property(0)
    output_zero_point = int_property(0, "outputZeroPoint")
    clip = optional_int_list_property()
    result = result_def(TensorType)

    assembly_format = _BINARY

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        multipliers = int_list(params, "multipliers", 2)
        largest = max(abs(multiplier) for multiplier in multipliers)
        expect(
            largest == 0 or MULTIPLIER_MIN <= largest <= MULTIPLIER_MAX,
            f"the larger of multipliers must be 0 or in {MULTIPLIER_MIN}..{MULTIPLIER_MAX},"
            f" got {list(multipliers)}",
        )
        expect_shift(params["shift"])
        # Zero points of 16 bits times multipliers of 15, twice.
        expect(abs(params["bias"]) <= 1 << 31, f"bias must be within 2^31, got {params['bias']}")
        return broadcast_shape([operand.get_shape() for operand in operands])


@irdl_op_definition
class MulOp(IntegerOp):
    """y = clip(sat((((x−zx)·(y−zy)·multiplier + 2^(shift−1)) >> shift) + outputZeroPoint)).

    zeroPoints [zx, zy].
    """

    name = "bpu.mul"

    x = operand_def(TensorType)
    y = operand_def(TensorType)
    multiplier = int_property()
    shift = int_property()
    zero_points = int_list_property([0, 0], "zeroPoints")
    output_zero_point = int_property(0, "outputZeroPoint")
    clip = optional_int_list_property()
    result = result_def(TensorType)

    assembly_format = _BINARY

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        expect_multiplier(params["multiplier"], params["shift"])
        zero_points = int_list(params, "zero_points", 2, name="zeroPoints")
        for operand, zero_point in zip(operands, zero_points, strict=True):
            expect_zero_point(zero_point, operand, "zeroPoints")
        return broadcast_shape([operand.get_shape() for operand in operands])


class _SelectOp(KeepingOp):
    """An op that picks one of its operands' integers: all share scale and zero point."""

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return broadcast_shape([operand.get_shape() for operand in operands])


@irdl_op_definition
class MaxOp(_SelectOp):
    """The larger of x and y, which share scale and zero point with the result."""

    name = "bpu.max"

    x = operand_def(TensorType)
    y = operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = _BINARY


@irdl_op_definition
class MinOp(_SelectOp):
    """The smaller of x and y, which share scale and zero point with the result."""

    name = "bpu.min"

    x = operand_def(TensorType)
    y = operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = _BINARY


def sloped_shape(operands: Operands) -> Shape:
    """The shape of x, where slope, the second operand, is (C) along the last axis, or (1)."""
    shape = operands[0].get_shape()
    if operands[1].get_shape() != (1,):
        expect_table(operands[1], "slope", shape[-1:])
    return shape


@irdl_op_definition
class PreluOp(IntegerOp):
    """v = x − inputZeroPoint; y = sat(((v·(v ≥ 0 ? multiplier : slope[c]) + 2^(s−1)) >> s) + zo).

    slope: si32 (C) along the last axis, or (1); it is on the same shift as multiplier, and either
    may be the larger.
    """

    name = "bpu.prelu"

    x = operand_def(TensorType)
    slope = operand_def(TensorType)
    multiplier = int_property()
    shift = int_property()
    input_zero_point = int_property(0, "inputZeroPoint")
    output_zero_point = int_property(0, "outputZeroPoint")
    result = result_def(TensorType)

    assembly_format = "$x `,` $slope attr-dict `:` functional-type(operands, results)"

    OPERAND_ELEMENTS: ClassVar = (ACTIVATIONS, (SI32,))

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        expect(
            0 <= params["multiplier"] <= MULTIPLIER_MAX,
            f"multiplier must be in 0..{MULTIPLIER_MAX}, got {params['multiplier']}",
        )
        expect_shift(params["shift"])
        expect_zero_point(params["input_zero_point"], operands[0], "inputZeroPoint")
        return sloped_shape(operands)

"""Comparisons, and choosing by a condition.

A truth value is a quantized number from 0 to 1: false is the zero point, true the integer of 1.0.
"""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.bpu.base import (
    WITH_FLOAT,
    IntegerOp,
    KeepingOp,
    expect_elements,
    expect_zero_point,
    integer_range,
)
from hbir.dialects.checks import broadcast_shape, expect, expect_one_of, int_list
from hbir.dialects.properties import int_list_property, int_property, string_property
from hbir.ir.op import Operands, Params, Shape
from hbir.ir.types import AnyTensor
from hbir.kernels.parameters import MULTIPLIER_MAX, MULTIPLIER_MIN

MODES = ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal")


@irdl_op_definition
class CompareOp(IntegerOp):
    """y = values[1] where (x−zx)·mx − (y−zy)·my compares with 0 as `mode` says, else values[0].

    multipliers [mx, my]: proportional to the operands' scales, the larger in 2^14 … 2^15−1.
    zeroPoints [zx, zy]. values [false, true].
    """

    name = "bpu.compare"

    x = operand_def(TensorType)
    y = operand_def(TensorType)
    mode = string_property()
    multipliers = int_list_property()
    zero_points = int_list_property([0, 0], "zeroPoints")
    values = int_list_property([0, 1])
    result = result_def(TensorType)

    assembly_format = "$x `,` $y attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        expect_one_of(params["mode"], MODES, "mode")
        multipliers = int_list(params, "multipliers", 2, minimum=0)
        expect(
            MULTIPLIER_MIN <= max(multipliers) <= MULTIPLIER_MAX,
            f"the larger of multipliers must be in {MULTIPLIER_MIN}..{MULTIPLIER_MAX},"
            f" got {list(multipliers)}",
        )
        zero_points = int_list(params, "zero_points", 2, name="zeroPoints")
        for operand, zero_point in zip(operands, zero_points, strict=True):
            expect_zero_point(zero_point, operand, "zeroPoints")
        return broadcast_shape([operand.get_shape() for operand in operands])

    @override
    def check_result(self, params: Params, result: AnyTensor) -> None:
        low, high = integer_range(result)
        values = int_list(params, "values", 2)
        expect(
            all(low <= value <= high for value in values),
            f"values must be in {low}..{high}, got {list(values)}",
        )


@irdl_op_definition
class WhereOp(KeepingOp):
    """y = x where the condition isn't conditionZeroPoint, else y; all three broadcast.

    x, y and the result share scale and zero point.
    """

    name = "bpu.where"

    condition = operand_def(TensorType)
    x = operand_def(TensorType)
    y = operand_def(TensorType)
    condition_zero_point = int_property(0, "conditionZeroPoint")
    result = result_def(TensorType)

    assembly_format = "$condition `,` $x `,` $y attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        expect_zero_point(params["condition_zero_point"], operands[0], "conditionZeroPoint")
        return broadcast_shape([operand.get_shape() for operand in operands])

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        expect_elements(cls, operands[:1], (WITH_FLOAT,))
        return super().infer_element(operands[1:], params)

    @property
    @override
    def kept_operands(self) -> Sequence[SSAValue]:
        return self.operands[1:]

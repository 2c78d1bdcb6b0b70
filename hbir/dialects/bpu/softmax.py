"""Softmax by tables."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.bpu.base import ACTIVATIONS, IntegerOp, expect_table
from hbir.dialects.checks import axis_of, expect
from hbir.dialects.properties import int_property
from hbir.ir.op import Operands, Params, Shape
from hbir.ir.types import SI8, SI32
from hbir.kernels.norm_parameters import (
    SOFTMAX_CLASSES_MAX,
    SOFTMAX_EXP_SHIFT_MIN,
    SOFTMAX_INDEX_BITS,
    SOFTMAX_SHIFT_MAX,
    SOFTMAX_SHIFT_MIN,
)
from hbir.kernels.parameters import MULTIPLIER_MAX, MULTIPLIER_MIN, SHIFT_MAX


@irdl_op_definition
class SoftmaxOp(IntegerOp):
    """y = sat(((e·r·multiplier + 2^(t−1)) >> t) + outputZeroPoint), t = 29 + n + shift.

    S = Σ e over `dim`, n = bit length of S − 15, M = S·2^−n rounded, and r ≈ 2^29 / M from
    reciprocal_table, interpolated. multiplier·2^−shift = 1 / output scale.
    x si8: e = exp_table[d], d = max x − x, exp_table: si32 (256). x si16: e = 2^(22 − u) with
    u = d·expMultiplier·2^−expShift of 16 fraction bits, from exp_table: si32 (513), interpolated.
    reciprocal_table: si32 (513).
    """

    name = "bpu.softmax"

    x = operand_def(TensorType)
    exp_table = operand_def(TensorType)
    reciprocal_table = operand_def(TensorType)
    dim = int_property()
    multiplier = int_property()
    shift = int_property()
    output_zero_point = int_property(0, "outputZeroPoint")
    exp_multiplier = int_property(0, "expMultiplier")
    exp_shift = int_property(0, "expShift")
    result = result_def(TensorType)

    assembly_format = (
        "$x `,` $exp_table `,` $reciprocal_table attr-dict `:` functional-type(operands, results)"
    )

    OPERAND_ELEMENTS: ClassVar = (ACTIVATIONS, (SI32,))

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        shape = operands[0].get_shape()
        classes = shape[axis_of(params["dim"], len(shape), "dim")]
        expect(
            classes <= SOFTMAX_CLASSES_MAX,
            f"softmax takes at most {SOFTMAX_CLASSES_MAX} classes, x has {classes}",
        )
        knots = (1 << SOFTMAX_INDEX_BITS) + 1
        narrow = operands[0].get_element_type() == SI8
        expect_table(operands[1], "exp_table", (256 if narrow else knots,))
        expect_table(operands[2], "reciprocal_table", (knots,))
        multiplier, shift = params["multiplier"], params["shift"]
        expect(
            MULTIPLIER_MIN <= multiplier <= MULTIPLIER_MAX,
            f"multiplier must be in {MULTIPLIER_MIN}..{MULTIPLIER_MAX}, got {multiplier}",
        )
        expect(
            SOFTMAX_SHIFT_MIN <= shift <= SOFTMAX_SHIFT_MAX,
            f"shift must be in {SOFTMAX_SHIFT_MIN}..{SOFTMAX_SHIFT_MAX}, got {shift}",
        )
        low, factor, places = SOFTMAX_EXP_SHIFT_MIN, params["exp_multiplier"], params["exp_shift"]
        expect(
            0 <= factor <= MULTIPLIER_MAX and low <= places <= SHIFT_MAX,
            f"expMultiplier and expShift must be in 0..{MULTIPLIER_MAX} and {low}..{SHIFT_MAX},"
            f" got {factor} and {places}",
        )
        return shape

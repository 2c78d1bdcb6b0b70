"""Layer norm and root-mean-square norm from exact integer sums."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.bpu.base import ACTIVATIONS, IntegerOp, expect_table, expect_zero_point
from hbir.dialects.checks import expect
from hbir.dialects.properties import bool_property, int_property
from hbir.ir.op import Operands, Params, Shape
from hbir.ir.types import SI32
from hbir.kernels.norm_parameters import (
    LAYERNORM_BIAS_BITS,
    LAYERNORM_ELEMENTS_MAX,
    LAYERNORM_EPSILON_MAX,
    LAYERNORM_SHIFT_MAX,
    RMS_NORM_ELEMENTS_MAX,
    RSQRT_KNOTS,
)


@irdl_op_definition
class LayernormOp(IntegerOp):
    """y = sat(((t·m[c] + b[c]·2^(shift−8) + 2^(shift−1)) >> shift) + outputZeroPoint).

    t = D / √(V + epsilon) with 20 fraction bits, over the N elements of the last axis:
    D = N·x − Σx and V = N·Σx² − (Σx)², or without `center` D = N·X and V = N·ΣX² of
    X = x − inputZeroPoint (a root-mean-square norm). 1 / √ is rsqrtTable at the mantissa of V.
    x: (..., N) si8 or si16; affine: si32 (N, 2), columns m and b; rsqrtTable: si32 (769).
    """

    name = "bpu.layernorm"

    x = operand_def(TensorType)
    affine = operand_def(TensorType)
    rsqrt_table = operand_def(TensorType)
    shift = int_property()
    epsilon = int_property(0)
    center = bool_property(True)
    input_zero_point = int_property(0, "inputZeroPoint")
    output_zero_point = int_property(0, "outputZeroPoint")
    result = result_def(TensorType)

    assembly_format = (
        "$x `,` $affine `,` $rsqrt_table attr-dict `:` functional-type(operands, results)"
    )

    OPERAND_ELEMENTS: ClassVar = (ACTIVATIONS, (SI32,))

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        shape = operands[0].get_shape()
        expect(len(shape) >= 1, "x must be (..., N), got a scalar")
        limit = LAYERNORM_ELEMENTS_MAX if params["center"] else RMS_NORM_ELEMENTS_MAX
        expect(1 <= shape[-1] <= limit, f"a row may have 1..{limit} elements, x has {shape[-1]}")
        expect_table(operands[1], "affine", (shape[-1], 2))
        expect_table(operands[2], "rsqrt_table", (RSQRT_KNOTS,))
        low = LAYERNORM_BIAS_BITS
        expect(
            low <= params["shift"] <= LAYERNORM_SHIFT_MAX,
            f"shift must be in {low}..{LAYERNORM_SHIFT_MAX}, got {params['shift']}",
        )
        expect(
            0 <= params["epsilon"] <= LAYERNORM_EPSILON_MAX,
            f"epsilon must be in 0..{LAYERNORM_EPSILON_MAX}, got {params['epsilon']}",
        )
        expect_zero_point(params["input_zero_point"], operands[0], "inputZeroPoint")
        return shape

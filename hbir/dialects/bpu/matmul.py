"""The integer product of two activations."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.bpu.base import WITH_FLOAT, IntegerOp, expect_multiplier, expect_zero_point
from hbir.dialects.checks import broadcast_shape, expect
from hbir.dialects.properties import float_property, int_property, optional_int_list_property
from hbir.ir.op import Operands, Params, Shape


@irdl_op_definition
class MatmulOp(IntegerOp):
    """y = clip(sat(((acc·multiplier + 2^(shift−1)) >> shift) + outputZeroPoint)).

    acc[..., m, n] = Σ_k (lhs[..., m, k] − lhsZeroPoint)·rhs[..., n, k]; rhs has zero point 0.
    lhs: (..., M, K), rhs: (..., N, K), its rows where a convolution has its output channels; the
    relayout that this asks for is an op of its own (bpu.transpose). Leading dimensions broadcast.
    The accumulator has 32 bits where both are si8, else 48. `scale` is the real factor that
    multiplier·2^−shift holds beside the scales of operands and result; only the verifier reads it.
    A result of f16 is clip(f16(acc·multiplier·2^−shift)).
    """

    name = "bpu.matmul"

    ELEMENTS: ClassVar = WITH_FLOAT

    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    multiplier = int_property()
    shift = int_property()
    lhs_zero_point = int_property(0, "lhsZeroPoint")
    output_zero_point = int_property(0, "outputZeroPoint")
    clip = optional_int_list_property()
    scale = float_property(1.0)
    result = result_def(TensorType)

    HIDDEN_PROPERTIES: ClassVar = frozenset({*IntegerOp.HIDDEN_PROPERTIES, "scale"})

    assembly_format = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        expect_multiplier(params["multiplier"], params["shift"])
        expect_zero_point(params["lhs_zero_point"], operands[0], "lhsZeroPoint")
        lhs, rhs = operands[0].get_shape(), operands[1].get_shape()
        expect(
            min(len(lhs), len(rhs)) >= 2,
            f"lhs and rhs must be (..., M, K) and (..., N, K), got {list(lhs)} and {list(rhs)}",
        )
        expect(
            lhs[-1] == rhs[-1],
            f"rows of lhs and rhs must be of one length, got {list(lhs)} and {list(rhs)}",
        )
        return *broadcast_shape([lhs[:-2], rhs[:-2]]), lhs[-2], rhs[-2]

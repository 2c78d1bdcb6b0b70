"""Matrix products: with a constant weight (linear) and of two activations (matmul)."""

from __future__ import annotations

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, opt_operand_def, result_def

from hbir.dialects.checks import broadcast_shape, expect, expect_rank
from hbir.dialects.hbir.base import FloatOp
from hbir.dialects.properties import float_property
from hbir.ir.op import Operands, Params, Shape


@irdl_op_definition
class LinearOp(FloatOp):
    """output[..., o] = bias[o] + Σ_c x[..., c] · w[c, o].

    x: (..., Cin) of rank 1 or more; w: (Cin, Cout); bias: (Cout).
    """

    name = "hbir.linear"

    x = operand_def(TensorType)
    w = operand_def(TensorType)
    bias = opt_operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = "$x `,` $w (`,` $bias^)? attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        shape = operands[0].get_shape()
        expect(len(shape) >= 1, "x must be (..., Cin), got a scalar")
        in_channels, out_channels = expect_rank(operands[1], "w", 2, "(Cin, Cout)")
        expect(
            shape[-1] == in_channels,
            f"w takes {in_channels} input channels, x of shape {list(shape)} has {shape[-1]}",
        )
        if len(operands) == 3:
            bias = operands[2].get_shape()
            expect(
                bias == (out_channels,), f"bias must be ({out_channels},), got shape {list(bias)}"
            )
        return *shape[:-1], out_channels


@irdl_op_definition
class MatmulOp(FloatOp):
    """output[..., i, j] = scale · Σ_k lhs[..., i, k] · rhs[..., k, j].

    lhs: (..., M, K), rhs: (..., K, N), both of rank 2 or more; leading dimensions broadcast by
    NumPy's rules. scale > 0 is that of attention, or 1.
    """

    name = "hbir.matmul"

    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    scale = float_property(1.0)
    result = result_def(TensorType)

    assembly_format = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        lhs, rhs = operands[0].get_shape(), operands[1].get_shape()
        expect(params["scale"] > 0, f"scale must be positive, got {params['scale']}")
        expect(
            min(len(lhs), len(rhs)) >= 2,
            f"lhs and rhs must be (..., M, K) and (..., K, N), got {list(lhs)} and {list(rhs)}",
        )
        expect(
            lhs[-1] == rhs[-2],
            f"lhs of shape {list(lhs)} has {lhs[-1]} columns, rhs of shape {list(rhs)} has"
            f" {rhs[-2]} rows",
        )
        return *broadcast_shape([lhs[:-2], rhs[:-2]]), lhs[-2], rhs[-1]

"""Activation functions: element by element, on one tensor (prelu: and its slopes)."""

from __future__ import annotations

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.checks import broadcast_shape, expect, expect_one_of
from hbir.dialects.hbir.base import FloatOp, UnaryOp
from hbir.dialects.properties import float_property, string_property
from hbir.ir.op import Operands, Params, Shape


@irdl_op_definition
class ReluOp(UnaryOp):
    """max(x, 0)."""

    name = "hbir.relu"


@irdl_op_definition
class ClipOp(UnaryOp):
    """min(max(x, min), max); an open side is ±inf. relu6 is clip with min 0 and max 6."""

    name = "hbir.clip"

    min = float_property()
    max = float_property()

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        low, high = params["min"], params["max"]
        expect(low <= high, f"min must not exceed max, got {low} and {high}")
        return super().infer_shape(operands, params)


@irdl_op_definition
class LeakyReluOp(UnaryOp):
    """x where x ≥ 0, slop · x elsewhere (`slop` is the published spelling)."""

    name = "hbir.leaky_relu"

    slop = float_property(0.01)


@irdl_op_definition
class PreluOp(FloatOp):
    """x where x ≥ 0, slope · x elsewhere. slope broadcasts to x: usually (C)."""

    name = "hbir.prelu"

    x = operand_def(TensorType)
    slope = operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = "$x `,` $slope attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        x, slope = operands[0].get_shape(), operands[1].get_shape()
        expect(
            broadcast_shape([x, slope]) == x,
            f"slope of shape {list(slope)} does not broadcast to x of shape {list(x)}",
        )
        return x


@irdl_op_definition
class SigmoidOp(UnaryOp):
    """1 / (1 + exp(−x))."""

    name = "hbir.sigmoid"


@irdl_op_definition
class TanhOp(UnaryOp):
    """The hyperbolic tangent."""

    name = "hbir.tanh"


@irdl_op_definition
class HardSigmoidOp(UnaryOp):
    """min(max(alpha · x + beta, 0), 1)."""

    name = "hbir.hard_sigmoid"

    alpha = float_property(0.2)
    beta = float_property(0.5)


@irdl_op_definition
class HardSwishOp(UnaryOp):
    """x · min(max(x / 6 + 1/2, 0), 1)."""

    name = "hbir.hard_swish"


@irdl_op_definition
class SwishOp(UnaryOp):
    """x · sigmoid(x)."""

    name = "hbir.swish"


@irdl_op_definition
class ExpOp(UnaryOp):
    """e to the power x."""

    name = "hbir.exp"


@irdl_op_definition
class ReciprocalOp(UnaryOp):
    """1 / x; ±inf at ±0."""

    name = "hbir.reciprocal"


GELU_FORMS = ("none", "tanh")
"""Values of `approximate`: by the error function, or by a hyperbolic tangent close to it."""


@irdl_op_definition
class GeluOp(UnaryOp):
    """x/2 · (1 + erf(x/√2)); "tanh": x/2 · (1 + tanh(√(2/π) · (x + 0.044715·x³)))."""

    name = "hbir.gelu"

    approximate = string_property("none")

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        expect_one_of(params["approximate"], GELU_FORMS, "approximate")
        return super().infer_shape(operands, params)


@irdl_op_definition
class SoftplusOp(UnaryOp):
    """log(1 + exp(beta · x)) / beta; x itself where beta · x > threshold."""

    name = "hbir.softplus"

    beta = float_property(1.0)
    threshold = float_property(20.0)

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        expect(params["beta"] > 0, f"beta must be positive, got {params['beta']}")
        return super().infer_shape(operands, params)


@irdl_op_definition
class MishOp(UnaryOp):
    """x · tanh(log(1 + exp(x)))."""

    name = "hbir.mish"


@irdl_op_definition
class EluOp(UnaryOp):
    """x where x > 0, alpha · (exp(x) − 1) elsewhere."""

    name = "hbir.elu"

    alpha = float_property(1.0)


@irdl_op_definition
class SoftsignOp(UnaryOp):
    """x / (1 + |x|)."""

    name = "hbir.softsign"


@irdl_op_definition
class ThresholdedReluOp(UnaryOp):
    """x where x > alpha, 0 elsewhere."""

    name = "hbir.thresholded_relu"

    alpha = float_property(1.0)


@irdl_op_definition
class ShrinkOp(UnaryOp):
    """x − bias where x > lambd, x + bias where x < −lambd, 0 elsewhere."""

    name = "hbir.shrink"

    lambd = float_property(0.5)
    bias = float_property(0.0)

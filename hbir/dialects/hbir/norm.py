"""Normalisation: batch norm with constant statistics, softmax."""

from __future__ import annotations

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.checks import axis_of, expect
from hbir.dialects.hbir.base import FloatOp, UnaryOp
from hbir.dialects.properties import float_property, int_property
from hbir.ir.op import Operands, Params, Shape


@irdl_op_definition
class BatchnormOp(FloatOp):
    """(x − mean) / √(var + eps) · weight + bias, per channel of the last axis.

    x: (..., C); mean, var, weight, bias: (C).
    """

    name = "hbir.batchnorm"

    x = operand_def(TensorType)
    mean = operand_def(TensorType)
    var = operand_def(TensorType)
    weight = operand_def(TensorType)
    bias = operand_def(TensorType)
    eps = float_property(1e-5)
    result = result_def(TensorType)

    assembly_format = (
        "$x `,` $mean `,` $var `,` $weight `,` $bias attr-dict `:` "
        "functional-type(operands, results)"
    )

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        shape = operands[0].get_shape()
        expect(len(shape) >= 1, "x must be (..., C), got a scalar")
        channels = shape[-1]
        for name, operand in zip(("mean", "var", "weight", "bias"), operands[1:], strict=True):
            got = operand.get_shape()
            expect(
                got == (channels,),
                f"{name} must be ({channels},) for x of shape {list(shape)}, got {list(got)}",
            )
        return shape


@irdl_op_definition
class SoftmaxOp(UnaryOp):
    """exp(x − m) / Σ exp(x − m) along the axis `dim`, m being the greatest element there."""

    name = "hbir.softmax"

    dim = int_property(-1)

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        shape = super().infer_shape(operands, params)
        axis_of(params["dim"], len(shape), "dim")
        return shape


@irdl_op_definition
class LogSoftmaxOp(UnaryOp):
    """x − m − log Σ exp(x − m) along the axis `dim`, m being the greatest element there."""

    name = "hbir.log_softmax"

    dim = int_property(-1)

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        shape = super().infer_shape(operands, params)
        axis_of(params["dim"], len(shape), "dim")
        return shape

"""Reductions over whole dimensions."""

from __future__ import annotations

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.bpu.base import IntegerOp, KeepingOp, expect_multiplier, expect_zero_point
from hbir.dialects.checks import axes_of, expect
from hbir.dialects.properties import bool_property, int_list_property, int_property
from hbir.ir.op import Operands, Params, Shape

_UNARY = "$x attr-dict `:` functional-type(operands, results)"


def reduced_shape(shape: tuple[int, ...], params: Params) -> tuple[int, ...]:
    """`shape` without the axes `dims`, or with extent 1 there (`keep_dim`)."""
    axes = axes_of(params["dims"], len(shape), "dims")
    expect(len(axes) > 0, "dims must name at least one dimension")
    if params["keep_dim"]:
        return tuple(1 if axis in axes else extent for axis, extent in enumerate(shape))
    return tuple(extent for axis, extent in enumerate(shape) if axis not in axes)


class _SummingOp(IntegerOp):
    """A sum of the real values, rescaled."""

    x = operand_def(TensorType)
    dims = int_list_property()
    multiplier = int_property()
    shift = int_property()
    keep_dim = bool_property(False, "keepDim")
    input_zero_point = int_property(0, "inputZeroPoint")
    output_zero_point = int_property(0, "outputZeroPoint")
    result = result_def(TensorType)

    assembly_format = _UNARY

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        expect_multiplier(params["multiplier"], params["shift"])
        expect_zero_point(params["input_zero_point"], operands[0], "inputZeroPoint")
        return reduced_shape(operands[0].get_shape(), params)


@irdl_op_definition
class ReduceMeanOp(_SummingOp):
    """y = sat(((Σ (x − inputZeroPoint)·multiplier + 2^(shift−1)) >> shift) + outputZeroPoint).

    The sum is over `dims`; multiplier·2^−shift = input scale / (output scale · elements summed).
    """

    name = "bpu.reduce_mean"


@irdl_op_definition
class ReduceSumOp(_SummingOp):
    """As bpu.reduce_mean, with multiplier·2^−shift = input scale / output scale."""

    name = "bpu.reduce_sum"


class _ChoosingOp(KeepingOp):
    """A reduction that picks one of the integers it is over."""

    x = operand_def(TensorType)
    dims = int_list_property()
    keep_dim = bool_property(False, "keepDim")
    result = result_def(TensorType)

    assembly_format = _UNARY

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return reduced_shape(operands[0].get_shape(), params)


@irdl_op_definition
class ReduceMaxOp(_ChoosingOp):
    """The largest integer over `dims`; scale and zero point stay."""

    name = "bpu.reduce_max"


@irdl_op_definition
class ReduceMinOp(_ChoosingOp):
    """The smallest integer over `dims`; scale and zero point stay."""

    name = "bpu.reduce_min"

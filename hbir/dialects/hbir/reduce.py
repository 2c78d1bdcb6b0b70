"""Reductions over whole axes, and running sums."""

from __future__ import annotations

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.checks import axes_of, axis_of, expect
from hbir.dialects.hbir.base import FloatOp, UnaryOp
from hbir.dialects.properties import bool_property, int_list_property, int_property
from hbir.ir.op import Operands, Params, Shape


class ReduceOp(FloatOp):
    """A reduction over the axes `dims`, which stay with extent 1 (keepDim) or go."""

    x = operand_def(TensorType)
    dims = int_list_property()
    keep_dim = bool_property(True, "keepDim")
    result = result_def(TensorType)

    assembly_format = "$x attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        shape = operands[0].get_shape()
        axes = axes_of(params["dims"], len(shape), "dims")
        expect(len(axes) > 0, "dims must name at least one dimension")
        expect(
            all(shape[axis] > 0 for axis in axes),
            f"dims {list(axes)} of x of shape {list(shape)} have no elements to reduce",
        )
        if params["keep_dim"]:
            return tuple(1 if axis in axes else size for axis, size in enumerate(shape))
        return tuple(size for axis, size in enumerate(shape) if axis not in axes)


@irdl_op_definition
class ReduceMeanOp(ReduceOp):
    """The mean over the axes `dims`, which stay with extent 1 (keepDim) or go.

    A global average pool is `dims = [1, 2]` with keepDim.
    """

    name = "hbir.reduce_mean"


@irdl_op_definition
class ReduceSumOp(ReduceOp):
    """The sum over the axes `dims`, which stay with extent 1 (keepDim) or go."""

    name = "hbir.reduce_sum"


@irdl_op_definition
class ReduceMaxOp(ReduceOp):
    """The largest element over the axes `dims`, which stay with extent 1 (keepDim) or go."""

    name = "hbir.reduce_max"


@irdl_op_definition
class ReduceMinOp(ReduceOp):
    """The smallest element over the axes `dims`, which stay with extent 1 (keepDim) or go."""

    name = "hbir.reduce_min"


@irdl_op_definition
class CumsumOp(UnaryOp):
    """The sum of all elements up to each along `axis`.

    `exclusive` leaves out the element itself; `reverse` sums from the end.
    """

    name = "hbir.cumsum"

    axis = int_property()
    exclusive = bool_property(False)
    reverse = bool_property(False)

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        shape = super().infer_shape(operands, params)
        axis_of(params["axis"], len(shape), "axis")
        return shape

"""Where the greatest and the least elements are."""

from __future__ import annotations

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.hbir.base import FloatOp
from hbir.dialects.properties import bool_property, int_list_property
from hbir.dialects.shapes import one_axis_reduced_shape
from hbir.ir.op import Operands, Params, Shape
from hbir.ir.types import SI64


class ArgOp(FloatOp):
    """The index of one element along the one axis in `dims`."""

    x = operand_def(TensorType)
    dims = int_list_property()
    keep_dim = bool_property(True, "keepDim")
    result = result_def(TensorType)

    assembly_format = "$x attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return one_axis_reduced_shape(operands[0].get_shape(), params)

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        super().infer_element(operands, params)
        return SI64


@irdl_op_definition
class ReduceArgmaxOp(ArgOp):
    """The index (si64) of the first greatest element along the one axis in `dims`."""

    name = "hbir.reduce_argmax"


@irdl_op_definition
class ReduceArgminOp(ArgOp):
    """The index (si64) of the first least element along the one axis in `dims`."""

    name = "hbir.reduce_argmin"

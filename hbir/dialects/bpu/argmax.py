"""Where the greatest and the least integers are."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute
from xdsl.irdl import (
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure

from hbir.dialects.bpu.base import ACTIVATIONS, expect_elements
from hbir.dialects.properties import bool_property, int_list_property
from hbir.dialects.shapes import one_axis_reduced_shape
from hbir.ir.op import Operands, Params, Shape, TensorOp
from hbir.ir.types import SI64


class IndexOfOp(TensorOp):
    """An op that gives places (si64) of integers."""

    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    ELEMENTS: ClassVar = (SI64,)

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        expect_elements(cls, operands, (ACTIVATIONS,))
        return SI64


class ArgOp(IndexOfOp):
    """The index of one integer along the one axis in `dims`."""

    x = operand_def(TensorType)
    dims = int_list_property()
    keep_dim = bool_property(True, "keepDim")
    result = result_def(TensorType)

    assembly_format = "$x attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return one_axis_reduced_shape(operands[0].get_shape(), params)


@irdl_op_definition
class ReduceArgmaxOp(ArgOp):
    """The index of the first greatest integer along the one axis in `dims`."""

    name = "bpu.reduce_argmax"


@irdl_op_definition
class ReduceArgminOp(ArgOp):
    """The index of the first least integer along the one axis in `dims`."""

    name = "bpu.reduce_argmin"

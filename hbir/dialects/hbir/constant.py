"""The constant: the only op whose value is in the IR. Used on every level."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import DenseIntOrFPElementsAttr, DenseResourceAttr, TensorType
from xdsl.ir import Attribute
from xdsl.irdl import (
    AnyAttr,
    BaseAttr,
    ParamAttrConstraint,
    ParsePropInAttrDict,
    VarConstraint,
    irdl_op_definition,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import ConstantLike, Pure

from hbir.ir.op import Operands, Params, Shape, TensorOp
from hbir.ir.types import tensor_type


@irdl_op_definition
class ConstantOp(TensorOp):
    """`output = values`: a tensor of any shape and element type.

    `values` comes from `WeightStore.attribute`: `dense<...>` up to 16 elements, a resource above.
    """

    name = "hbir.constant"

    T: ClassVar = VarConstraint("T", BaseAttr(TensorType))
    values: Attribute = prop_def(
        ParamAttrConstraint(DenseIntOrFPElementsAttr, (T, AnyAttr()))
        | ParamAttrConstraint(DenseResourceAttr, (AnyAttr(), T))
    )
    result = result_def(T)

    assembly_format = "$values attr-dict"
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure(), ConstantLike())

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return tensor_type(params["values"].get_type()).get_shape()

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        return tensor_type(params["values"].get_type()).get_element_type()

"""What the float level's ops have in common: element types, traits and the simplest text form."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute
from xdsl.irdl import (
    BaseAttr,
    ParsePropInAttrDict,
    VarConstraint,
    operand_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure

from hbir.dialects.checks import expect_float32, expect_same_element
from hbir.ir.op import Operands, Params, Shape, TensorOp
from hbir.ir.types import F32


class FloatOp(TensorOp):
    """An op that takes and gives f32."""

    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        expect_float32(operands, [name for name, _ in cls.get_irdl_definition().operands])
        return F32


class UnaryOp(FloatOp):
    """A function of each element of one f32 tensor of any shape."""

    T: ClassVar = VarConstraint("T", BaseAttr(TensorType))
    x = operand_def(T)
    result = result_def(T)

    assembly_format = "$x attr-dict `:` type($x)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return operands[0].get_shape()


class MoveOp(TensorOp):
    """An op that moves elements without looking at them, so it takes any element type."""

    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        expect_same_element(operands)
        return operands[0].get_element_type()

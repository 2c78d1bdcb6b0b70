"""Changes of the element type, and the simulation of float16."""

from __future__ import annotations

from typing import Any, ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import Float16Type, TensorType, f16
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import (
    EqAttrConstraint,
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    prop_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure

from hbir.dialects.hbir.base import UnaryOp
from hbir.ir.op import Operands, Params, Shape, TensorOp
from hbir.ir.origin import Origin


@irdl_op_definition
class CastTypeOp(TensorOp):
    """x in the result's element type.

    Float to integer drops the fraction and saturates (nan becomes 0); to i1, what isn't 0 is true;
    integer to integer wraps.
    """

    name = "hbir.cast_type"
    PASSES_DTYPE: ClassVar[bool] = True

    x = operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = "$x attr-dict `:` type($x) `to` type($result)"
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return operands[0].get_shape()

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        return None


_FLOAT16: Any = EqAttrConstraint(f16)


@irdl_op_definition
class FakeCastOp(UnaryOp):
    """x rounded to dtype, which is f16, and back: where the machine holds float16.

    Rounding is to nearest, ties to even; beyond ±65504 it saturates, and nan becomes -65504.
    """

    name = "hbir.fake_cast"
    HIDDEN_PROPERTIES: ClassVar = frozenset({*UnaryOp.HIDDEN_PROPERTIES, "dtype"})

    dtype: Float16Type = prop_def(_FLOAT16)

    @classmethod
    @override
    def make(
        cls,
        *operands: SSAValue | Operation,
        origin: Origin | None = None,
        element: Attribute | None = None,
        **properties: Any,
    ) -> FakeCastOp:
        """As `TensorOp.make`; `dtype` needn't be said."""
        properties.setdefault("dtype", f16)
        return super().make(*operands, origin=origin, element=element, **properties)

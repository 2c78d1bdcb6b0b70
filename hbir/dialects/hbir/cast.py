"""Changes of the element type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

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

from hbir.ir.op import TensorOp
from hbir.ir.types import AnyTensor


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
    def infer_shape(
        cls, operands: Sequence[AnyTensor], params: Mapping[str, Any]
    ) -> tuple[int, ...]:
        return operands[0].get_shape()

    @classmethod
    @override
    def infer_element(
        cls, operands: Sequence[AnyTensor], params: Mapping[str, Any]
    ) -> Attribute | None:
        return None

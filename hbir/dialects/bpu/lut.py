"""A function of one int8, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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

from hbir.dialects.bpu.base import ACTIVATIONS, expect_elements, expect_table
from hbir.ir.op import TensorOp
from hbir.ir.types import SI8, AnyTensor


@irdl_op_definition
class LutOp(TensorOp):
    """y = table[x + 128].

    x: si8 of any shape; table: (256) si8 or si16, which is also the result's element type.
    """

    name = "bpu.lut"

    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    x = operand_def(TensorType)
    table = operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = "$x `,` $table attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(
        cls, operands: Sequence[AnyTensor], params: Mapping[str, Any]
    ) -> tuple[int, ...]:
        expect_table(operands[1], "table", (256,))
        return operands[0].get_shape()

    @classmethod
    @override
    def infer_element(
        cls, operands: Sequence[AnyTensor], params: Mapping[str, Any]
    ) -> Attribute | None:
        expect_elements(cls, operands, ((SI8,), ACTIVATIONS))
        return operands[1].get_element_type()

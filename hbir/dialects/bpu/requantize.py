"""A change of scale, zero point or width on its own."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.bpu.base import IntegerOp, expect_multiplier, expect_zero_point
from hbir.dialects.properties import int_property, optional_int_list_property
from hbir.ir.op import Operands, Params, Shape
from hbir.ir.types import SI8, SI16, SI32, UI8


@irdl_op_definition
class RescaleOp(IntegerOp):
    """y = clip(sat((((x − inputZeroPoint)·multiplier + 2^(shift−1)) >> shift) + outputZeroPoint)).

    x: si8, si16, si32, or ui8 (a plane of an image), of any shape. multiplier·2^−shift is input
    scale / output scale.
    """

    name = "bpu.rescale"

    x = operand_def(TensorType)
    multiplier = int_property()
    shift = int_property()
    input_zero_point = int_property(0, "inputZeroPoint")
    output_zero_point = int_property(0, "outputZeroPoint")
    clip = optional_int_list_property()
    result = result_def(TensorType)

    assembly_format = "$x attr-dict `:` functional-type(operands, results)"

    OPERAND_ELEMENTS: ClassVar = ((SI8, SI16, SI32, UI8),)

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        expect_multiplier(params["multiplier"], params["shift"])
        expect_zero_point(params["input_zero_point"], operands[0], "inputZeroPoint")
        return operands[0].get_shape()

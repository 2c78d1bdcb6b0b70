"""The order of integers."""

from __future__ import annotations

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.bpu.argmax import IndexOfOp
from hbir.dialects.properties import bool_property, int_property
from hbir.dialects.shapes import best_shape
from hbir.ir.op import Operands, Params, Shape


@irdl_op_definition
class TopkOp(IndexOfOp):
    """The indices of the k greatest (or least) integers along the axis `dim`, best first.

    Among equals the one with the lower index comes first.
    """

    name = "bpu.topk"

    x = operand_def(TensorType)
    k = int_property()
    dim = int_property(-1)
    largest = bool_property(True)
    result = result_def(TensorType)

    assembly_format = "$x attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return best_shape(operands[0].get_shape(), params)

"""The order of elements."""

from __future__ import annotations

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.hbir.base import FloatOp
from hbir.dialects.properties import bool_property, int_property
from hbir.dialects.shapes import best_shape
from hbir.ir.op import Operands, Params, Shape
from hbir.ir.types import SI64


@irdl_op_definition
class TopkOp(FloatOp):
    """The indices (si64) of the k greatest (or least) elements along the axis `dim`, best first.

    Among equals the one with the lower index comes first. The elements themselves are
    `gather_elements(x, indices)`; all of them sorted are those of k = the axis's extent. (The
    published op gives both at once; ops of this dialect have one result.)
    """

    name = "hbir.topk"

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

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        super().infer_element(operands, params)
        return SI64

"""Integers moved from where indices say; indices are read as in `hbir.index`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.bpu.base import WITH_FLOAT, KeepingOp
from hbir.dialects.checks import expect_integers
from hbir.dialects.properties import int_property
from hbir.dialects.shapes import gathered_elements_shape, indexed_shape
from hbir.ir.op import Operands, Params, Shape


class IndexingOp(KeepingOp):
    """The result holds x's integers; index holds any signed ones."""

    ELEMENTS: ClassVar = WITH_FLOAT

    x = operand_def(TensorType)
    index = operand_def(TensorType)
    dim = int_property(0)
    result = result_def(TensorType)

    assembly_format = "$x `,` $index attr-dict `:` functional-type(operands, results)"

    @property
    @override
    def kept_operands(self) -> Sequence[SSAValue]:
        return (self.x,)

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        expect_integers(operands[1], "index")
        return operands[0].get_element_type()


@irdl_op_definition
class IndexOp(IndexingOp):
    """The parts of x at the indices along the axis `dim`; index's axes take that axis's place.

    x: (A…, D, B…), index: (I…) → (A…, I…, B…).
    """

    name = "bpu.index"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        x, index = operands
        return indexed_shape(x.get_shape(), index.get_shape(), params["dim"])


@irdl_op_definition
class GatherElementsOp(IndexingOp):
    """result[i, j, …] = x[i, index[i, j, …], …], the index standing at the axis `dim`."""

    name = "bpu.gather_elements"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        x, index = operands
        return gathered_elements_shape(x.get_shape(), index.get_shape(), params["dim"])

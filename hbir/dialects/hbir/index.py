"""Elements chosen by indices that are data.

Indices are integers; negative ones count from the end, and what lies beyond its axis is read at
the nearest element (an error in ONNX and PyTorch, which hardware can't raise).
"""

from __future__ import annotations

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.checks import expect_integers
from hbir.dialects.hbir.base import MoveOp
from hbir.dialects.properties import int_property
from hbir.dialects.shapes import gathered_elements_shape, gathered_nd_shape, indexed_shape
from hbir.ir.op import Operands, Params, Shape


class IndexingOp(MoveOp):
    """An op that takes elements of x, of any type, from where the integers of index say."""

    x = operand_def(TensorType)
    index = operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = "$x `,` $index attr-dict `:` functional-type(operands, results)"

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

    name = "hbir.index"

    dim = int_property(0)

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        x, index = operands
        return indexed_shape(x.get_shape(), index.get_shape(), params["dim"])


@irdl_op_definition
class GatherElementsOp(IndexingOp):
    """result[i, j, …] = x[i, index[i, j, …], …], the index standing at the axis `dim`.

    index has x's rank, and along the other axes at most x's extents.
    """

    name = "hbir.gather_elements"

    dim = int_property(0)

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        x, index = operands
        return gathered_elements_shape(x.get_shape(), index.get_shape(), params["dim"])


@irdl_op_definition
class GatherNdOp(IndexingOp):
    """The parts of x at the places that the last axis of index says, one index per axis.

    x: (B…, D₁ … Dₖ, rest…), index: (B…, places…, k) → (B…, places…, rest…), B being the first
    `batchDim` axes.
    """

    name = "hbir.gather_nd"

    batch_dim = int_property(0, "batchDim")

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        x, index = operands
        return gathered_nd_shape(x.get_shape(), index.get_shape(), params["batch_dim"])

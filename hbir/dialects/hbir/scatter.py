"""Elements put in places that indices say. Indices are read as in `index`.

scatterReduceMode says what happens with the element in that place: "none" replaces it (the last of
several updates stays), "add", "mul", "max" and "min" combine it with each update.
"""

from __future__ import annotations

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute
from xdsl.irdl import irdl_op_definition, operand_def, result_def

from hbir.dialects.checks import expect, expect_integers, expect_one_of, expect_same_element
from hbir.dialects.hbir.base import MoveOp
from hbir.dialects.properties import int_property, string_property
from hbir.dialects.shapes import gathered_elements_shape, gathered_nd_shape
from hbir.ir.op import Operands, Params, Shape
from hbir.kernels.float.scatter import REDUCE_MODES


class ScatterOp(MoveOp):
    """x, of any element type, with updates in the places of index."""

    x = operand_def(TensorType)
    index = operand_def(TensorType)
    updates = operand_def(TensorType)
    scatter_reduce_mode = string_property("none", "scatterReduceMode")
    result = result_def(TensorType)

    assembly_format = "$x `,` $index `,` $updates attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        expect_integers(operands[1], "index")
        expect_same_element([operands[0], operands[2]])
        return operands[0].get_element_type()

    @classmethod
    def places_shape(
        cls, x: tuple[int, ...], index: tuple[int, ...], params: Params
    ) -> tuple[int, ...]:
        """The shape that updates must have."""
        raise NotImplementedError(cls.name)

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        x, index, updates = (operand.get_shape() for operand in operands)
        expect_one_of(params["scatter_reduce_mode"], REDUCE_MODES, "scatterReduceMode")
        wanted = cls.places_shape(x, index, params)
        expect(
            updates == wanted,
            f"updates must be of shape {list(wanted)} for x of shape {list(x)} and index of shape"
            f" {list(index)}, got {list(updates)}",
        )
        return x


@irdl_op_definition
class ScatterElementsOp(ScatterOp):
    """x with x[i, index[i, j, …], …] = updates[i, j, …], the index standing at the axis `dim`."""

    name = "hbir.scatter_elements"

    dim = int_property(0)

    @classmethod
    @override
    def places_shape(
        cls, x: tuple[int, ...], index: tuple[int, ...], params: Params
    ) -> tuple[int, ...]:
        return gathered_elements_shape(x, index, params["dim"])


@irdl_op_definition
class ScatterNdOp(ScatterOp):
    """x: (D₁ … Dₖ, rest…) with x[index[places…]] = updates[places…].

    index: (places…, k), updates: (places…, rest…).
    """

    name = "hbir.scatter_nd"

    @classmethod
    @override
    def places_shape(
        cls, x: tuple[int, ...], index: tuple[int, ...], params: Params
    ) -> tuple[int, ...]:
        return gathered_nd_shape(x, index, 0)

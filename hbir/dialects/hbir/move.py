"""Ops that only move elements: they take any element type."""

from __future__ import annotations

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def, var_operand_def

from hbir.dialects.hbir.base import MoveOp
from hbir.dialects.properties import (
    float_property,
    int_list_property,
    int_property,
    optional_int_list_property,
)
from hbir.dialects.shapes import (
    concatenated_shape,
    padded_shape,
    reshaped_shape,
    sliced_shape,
    tiled_shape,
    transposed_shape,
)
from hbir.ir.op import Operands, Params, Shape


@irdl_op_definition
class ConcatOp(MoveOp):
    """The operands one after the other along the axis `dim`; the other extents are equal."""

    name = "hbir.concat"

    xs = var_operand_def(TensorType)
    dim = int_property()
    result = result_def(TensorType)

    assembly_format = "$xs attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        shapes = [operand.get_shape() for operand in operands]
        return concatenated_shape(shapes, params["dim"])


@irdl_op_definition
class SliceOp(MoveOp):
    """The elements at begin, begin + step, … before end, of each axis.

    One entry per axis; 0 ≤ begin < end ≤ extent, step ≥ 1 (all 1 when left out).
    """

    name = "hbir.slice"

    x = operand_def(TensorType)
    begin = int_list_property()
    end = int_list_property()
    step = optional_int_list_property()
    result = result_def(TensorType)

    assembly_format = "$x attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return sliced_shape(operands[0].get_shape(), params)


@irdl_op_definition
class ReshapeOp(MoveOp):
    """The same elements, in row-major order, in another shape."""

    name = "hbir.reshape"

    x = operand_def(TensorType)
    shape = int_list_property()
    result = result_def(TensorType)

    assembly_format = "$x attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return reshaped_shape(operands[0].get_shape(), params["shape"])


@irdl_op_definition
class TransposeOp(MoveOp):
    """Axis i of the result is axis dims[i] of x."""

    name = "hbir.transpose"

    x = operand_def(TensorType)
    dims = int_list_property()
    result = result_def(TensorType)

    assembly_format = "$x attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return transposed_shape(operands[0].get_shape(), params["dims"])


@irdl_op_definition
class PadOp(MoveOp):
    """begin[i] elements of padValue before and end[i] after each axis i; none negative."""

    name = "hbir.pad"

    x = operand_def(TensorType)
    begin = int_list_property()
    end = int_list_property()
    pad_value = float_property(0.0, "padValue")
    result = result_def(TensorType)

    assembly_format = "$x attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return padded_shape(operands[0].get_shape(), params)


@irdl_op_definition
class TileOp(MoveOp):
    """x repeated multiplies[i] times along each axis i."""

    name = "hbir.tile"

    x = operand_def(TensorType)
    multiplies = int_list_property()
    result = result_def(TensorType)

    assembly_format = "$x attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return tiled_shape(operands[0].get_shape(), params)

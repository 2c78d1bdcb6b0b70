"""Ops that move integers and change none."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def, var_operand_def

from hbir.dialects.bpu.base import KeepingOp, expect_zero_point
from hbir.dialects.properties import int_list_property, int_property
from hbir.dialects.shapes import (
    concatenated_shape,
    padded_shape,
    reshaped_shape,
    sliced_shape,
    tiled_shape,
    transposed_shape,
)
from hbir.ir.op import Operands, Params, Shape
from hbir.ir.types import UI8

_UNARY = "$x attr-dict `:` functional-type(operands, results)"


@irdl_op_definition
class ConcatOp(KeepingOp):
    """The operands one after the other along `dim`; all share scale and zero point."""

    name = "bpu.concat"

    xs = var_operand_def(TensorType)
    dim = int_property()
    result = result_def(TensorType)

    assembly_format = "$xs attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return concatenated_shape([x.get_shape() for x in operands], params["dim"])


@irdl_op_definition
class SliceOp(KeepingOp):
    """x[begin:end:step] on every axis; 0 <= begin < end <= extent and step >= 1."""

    name = "bpu.slice"

    x = operand_def(TensorType)
    begin = int_list_property()
    end = int_list_property()
    step = int_list_property()
    result = result_def(TensorType)

    assembly_format = _UNARY

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return sliced_shape(operands[0].get_shape(), params)


@irdl_op_definition
class CopyOp(KeepingOp):
    """The same elements in another memory: the schedule moves tensors between DDR and the chip."""

    name = "bpu.copy"

    x = operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = _UNARY

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return operands[0].get_shape()


@irdl_op_definition
class ReshapeOp(KeepingOp):
    """x's elements in the same order under another shape; planes of images, ui8, too."""

    name = "bpu.reshape"
    ELEMENTS: ClassVar = (*KeepingOp.ELEMENTS, UI8)

    x = operand_def(TensorType)
    shape = int_list_property()
    result = result_def(TensorType)

    assembly_format = _UNARY

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return reshaped_shape(operands[0].get_shape(), params["shape"])


@irdl_op_definition
class TransposeOp(KeepingOp):
    """Dimension i of the result is dimension dims[i] of x."""

    name = "bpu.transpose"

    x = operand_def(TensorType)
    dims = int_list_property()
    result = result_def(TensorType)

    assembly_format = _UNARY

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return transposed_shape(operands[0].get_shape(), params["dims"])


@irdl_op_definition
class PadOp(KeepingOp):
    """x with begin / end elements padValue before / after it on every axis."""

    name = "bpu.pad"

    x = operand_def(TensorType)
    begin = int_list_property()
    end = int_list_property()
    pad_value = int_property(0, "padValue")
    result = result_def(TensorType)

    assembly_format = _UNARY

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        expect_zero_point(params["pad_value"], operands[0], "padValue")
        return padded_shape(operands[0].get_shape(), params)


@irdl_op_definition
class TileOp(KeepingOp):
    """x repeated multiplies[i] times along each dimension i."""

    name = "bpu.tile"

    x = operand_def(TensorType)
    multiplies = int_list_property()
    result = result_def(TensorType)

    assembly_format = _UNARY

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return tiled_shape(operands[0].get_shape(), params)

"""Ops that move integers and change none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.irdl import irdl_op_definition, operand_def, result_def, var_operand_def

from hbir.dialects.bpu.base import KeepingOp, expect_zero_point
from hbir.dialects.checks import axis_of, expect, int_list
from hbir.dialects.properties import int_list_property, int_property
from hbir.ir.types import AnyTensor

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
    def infer_shape(
        cls, operands: Sequence[AnyTensor], params: Mapping[str, Any]
    ) -> tuple[int, ...]:
        expect(len(operands) > 0, "concat needs at least one operand")
        shapes = [operand.get_shape() for operand in operands]
        dim = axis_of(params["dim"], len(shapes[0]), "dim")
        rest = {(*shape[:dim], *shape[dim + 1 :]) for shape in shapes}
        expect(
            len(rest) == 1 and len({len(shape) for shape in shapes}) == 1,
            f"operands must agree in all dimensions but {dim}, got {[list(s) for s in shapes]}",
        )
        first = shapes[0]
        return (*first[:dim], sum(shape[dim] for shape in shapes), *first[dim + 1 :])


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
    def infer_shape(
        cls, operands: Sequence[AnyTensor], params: Mapping[str, Any]
    ) -> tuple[int, ...]:
        shape = operands[0].get_shape()
        begin = int_list(params, "begin", len(shape), minimum=0)
        end = int_list(params, "end", len(shape))
        step = int_list(params, "step", len(shape), minimum=1)
        for axis, extent in enumerate(shape):
            expect(
                begin[axis] < end[axis] <= extent,
                f"dimension {axis} of extent {extent} has no range {begin[axis]}:{end[axis]}",
            )
        return tuple(-(-(e - b) // s) for b, e, s in zip(begin, end, step, strict=True))


@irdl_op_definition
class ReshapeOp(KeepingOp):
    """x's elements in the same order under another shape."""

    name = "bpu.reshape"

    x = operand_def(TensorType)
    shape = int_list_property()
    result = result_def(TensorType)

    assembly_format = _UNARY

    @classmethod
    @override
    def infer_shape(
        cls, operands: Sequence[AnyTensor], params: Mapping[str, Any]
    ) -> tuple[int, ...]:
        source = operands[0].get_shape()
        shape: tuple[int, ...] = tuple(params["shape"])
        expect(
            prod(source) == prod(shape) and all(extent >= 1 for extent in shape),
            f"{list(source)} can't be reshaped to {list(shape)}",
        )
        return shape


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
    def infer_shape(
        cls, operands: Sequence[AnyTensor], params: Mapping[str, Any]
    ) -> tuple[int, ...]:
        shape = operands[0].get_shape()
        dims: tuple[int, ...] = params["dims"]
        expect(
            sorted(dims) == list(range(len(shape))),
            f"dims must be a permutation of 0..{len(shape) - 1}, got {list(dims)}",
        )
        return tuple(shape[dim] for dim in dims)


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
    def infer_shape(
        cls, operands: Sequence[AnyTensor], params: Mapping[str, Any]
    ) -> tuple[int, ...]:
        shape = operands[0].get_shape()
        begin = int_list(params, "begin", len(shape), minimum=0)
        end = int_list(params, "end", len(shape), minimum=0)
        expect_zero_point(params["pad_value"], operands[0], "padValue")
        return tuple(b + n + e for b, n, e in zip(begin, shape, end, strict=True))

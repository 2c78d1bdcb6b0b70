"""Arithmetic on float16, which the vector engine of some marches has.

All tensors are f16 but a norm's weights: finite, one zero, saturated at ±65504. f16(v) is v in
float32, each step rounded, then rounded once to f16. What only moves or selects elements (concat,
max, where, max_pool, ...) is the integers' op, of f16.
"""

from __future__ import annotations

from typing import ClassVar

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

from hbir.dialects.bpu.base import expect_elements, expect_table
from hbir.dialects.bpu.comparison import MODES
from hbir.dialects.bpu.elementwise import sloped_shape
from hbir.dialects.bpu.pool import pool_shape
from hbir.dialects.bpu.reduce import reduced_shape
from hbir.dialects.checks import axis_of, broadcast_shape, expect, expect_one_of
from hbir.dialects.properties import (
    bool_property,
    float_property,
    int_list_property,
    int_property,
    string_property,
)
from hbir.ir.op import Operands, Params, Shape, TensorOp
from hbir.ir.types import F16, F32

_UNARY = "$x attr-dict `:` functional-type(operands, results)"
_BINARY = "$x `,` $y attr-dict `:` functional-type(operands, results)"


class Float16Op(TensorOp):
    """An op whose operands and result hold f16."""

    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    OPERAND_ELEMENTS: ClassVar[tuple[tuple[Attribute, ...], ...]] = ((F16,),)
    """Element types that each operand may have; the last entry stands for the rest."""

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        expect_elements(cls, operands, cls.OPERAND_ELEMENTS)
        return F16


class _BinaryOp(Float16Op):
    """A function of two elements, with NumPy broadcasting."""

    x = operand_def(TensorType)
    y = operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = _BINARY

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return broadcast_shape([operand.get_shape() for operand in operands])


@irdl_op_definition
class FloatAddOp(_BinaryOp):
    """f16(x + y): the exact sum, rounded once and saturated."""

    name = "bpu.float_add"


@irdl_op_definition
class FloatSubOp(_BinaryOp):
    """f16(x − y): the exact difference, rounded once and saturated."""

    name = "bpu.float_sub"


@irdl_op_definition
class FloatMulOp(_BinaryOp):
    """f16(x·y): the exact product, rounded once and saturated."""

    name = "bpu.float_mul"


@irdl_op_definition
class FloatCompareOp(_BinaryOp):
    """1 where x compares with y as `mode` says, else 0."""

    name = "bpu.float_compare"

    mode = string_property()

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        expect_one_of(params["mode"], MODES, "mode")
        return super().infer_shape(operands, params)


class _UnaryOp(Float16Op):
    """An op on one tensor."""

    x = operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = _UNARY


@irdl_op_definition
class FloatPreluOp(Float16Op):
    """x where x ≥ 0, else f16(x·slope); slope: (C) along the last axis, or (1)."""

    name = "bpu.float_prelu"

    x = operand_def(TensorType)
    slope = operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = "$x `,` $slope attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return sloped_shape(operands)


@irdl_op_definition
class FloatSoftmaxOp(_UnaryOp):
    """f16(e / Σe) over `dim`, e = exp(x − max x); the sum is a fixed tree."""

    name = "bpu.float_softmax"

    dim = int_property()

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        shape = operands[0].get_shape()
        axis_of(params["dim"], len(shape), "dim")
        return shape


@irdl_op_definition
class FloatLayernormOp(Float16Op):
    """f16(c / √(mean of c² + epsilon)·w + b) over the last axis, c = x − mean of x.

    Without `center`, c = x: a root-mean-square norm. affine: f32 (C, 2), columns w and b. Means are
    sums by a fixed tree, divided.
    """

    name = "bpu.float_layernorm"

    x = operand_def(TensorType)
    affine = operand_def(TensorType)
    epsilon = float_property(0.0)
    center = bool_property(True)
    result = result_def(TensorType)

    OPERAND_ELEMENTS: ClassVar = ((F16,), (F32,))

    assembly_format = "$x `,` $affine attr-dict `:` functional-type(operands, results)"

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        shape = operands[0].get_shape()
        expect(len(shape) >= 1, "x must be (..., C), got a scalar")
        expect(params["epsilon"] >= 0, f"epsilon must be at least 0, got {params['epsilon']}")
        expect_table(operands[1], "affine", (shape[-1], 2))
        return shape


class _ReduceOp(_UnaryOp):
    """A reduction over `dims`."""

    dims = int_list_property()
    keep_dim = bool_property(False, "keepDim")

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return reduced_shape(operands[0].get_shape(), params)


@irdl_op_definition
class FloatReduceSumOp(_ReduceOp):
    """f16(Σx) over `dims`, whose elements a fixed tree adds up in f32."""

    name = "bpu.float_reduce_sum"


@irdl_op_definition
class FloatReduceMeanOp(_ReduceOp):
    """f16(Σx / elements) over `dims`, whose elements a fixed tree adds up in f32."""

    name = "bpu.float_reduce_mean"


@irdl_op_definition
class FloatAvgPoolOp(_UnaryOp):
    """f16(Σx / KH·KW) over each window; without countIncludePad, / elements inside x.

    x: (N, H, W, C). A window is added up row by row, padding as 0.
    """

    name = "bpu.float_avg_pool"

    kernel = int_list_property()
    stride = int_list_property([1, 1])
    pad = int_list_property([0, 0, 0, 0])
    count_include_pad = bool_property(True, "countIncludePad")

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return pool_shape(operands[0], params)

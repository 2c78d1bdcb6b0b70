"""Comparisons, logic, and choosing by a condition.

A truth value is i1 as frontends make it. The pass `represent-bools` writes truth values as the
f32 numbers 0 and 1 before anything is observed, because what the BPU computes is quantized f32;
so comparisons and `where` take either form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.irdl import (
    ParsePropInAttrDict,
    irdl_op_definition,
    operand_def,
    result_def,
    traits_def,
)
from xdsl.traits import Pure

from hbir.dialects.checks import broadcast_shape, expect, expect_float32
from hbir.ir.op import Operands, Params, Shape, TensorOp
from hbir.ir.origin import Origin
from hbir.ir.types import BOOL, F32, AnyTensor

_BINARY = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)"


class ComparisonOp(TensorOp):
    """A comparison of two f32 tensors whose shapes broadcast; the result is i1, or f32 0 and 1."""

    ELEMENTS: ClassVar[tuple[Attribute, ...]] = (BOOL, F32)
    PASSES_DTYPE: ClassVar[bool] = True

    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = _BINARY
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    @classmethod
    @override
    def make(
        cls,
        *operands: SSAValue | Operation,
        origin: Origin | None = None,
        element: Attribute | None = None,
        **properties: Any,
    ) -> ComparisonOp:
        """As `TensorOp.make`; the result is i1 unless `element` says f32."""
        return super().make(*operands, origin=origin, element=element or BOOL, **properties)

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return broadcast_shape([operand.get_shape() for operand in operands])

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        expect_float32(operands, ["lhs", "rhs"])
        return None


@irdl_op_definition
class EqualOp(ComparisonOp):
    """Whether lhs = rhs."""

    name = "hbir.equal"


@irdl_op_definition
class NotEqualOp(ComparisonOp):
    """Whether lhs ≠ rhs."""

    name = "hbir.not_equal"


@irdl_op_definition
class GreaterOp(ComparisonOp):
    """Whether lhs > rhs."""

    name = "hbir.greater"


@irdl_op_definition
class GreaterEqualOp(ComparisonOp):
    """Whether lhs ≥ rhs."""

    name = "hbir.greater_equal"


@irdl_op_definition
class LessOp(ComparisonOp):
    """Whether lhs < rhs."""

    name = "hbir.less"


@irdl_op_definition
class LessEqualOp(ComparisonOp):
    """Whether lhs ≤ rhs."""

    name = "hbir.less_equal"


class LogicOp(TensorOp):
    """A function of two i1 tensors whose shapes broadcast."""

    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = _BINARY
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return broadcast_shape([operand.get_shape() for operand in operands])

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        return _expect_bools(cls, operands)


@irdl_op_definition
class LogicalAndOp(LogicOp):
    """Whether lhs and rhs are true."""

    name = "hbir.logical_and"


@irdl_op_definition
class LogicalOrOp(LogicOp):
    """Whether lhs or rhs is true."""

    name = "hbir.logical_or"


@irdl_op_definition
class LogicalXorOp(LogicOp):
    """Whether exactly one of lhs and rhs is true."""

    name = "hbir.logical_xor"


@irdl_op_definition
class LogicalNotOp(TensorOp):
    """Whether x is false."""

    name = "hbir.logical_not"

    x = operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = "$x attr-dict `:` functional-type(operands, results)"
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return operands[0].get_shape()

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        return _expect_bools(cls, operands)


@irdl_op_definition
class WhereOp(TensorOp):
    """lhs where the condition holds, rhs elsewhere; all three broadcast.

    condition: i1, or f32 of which 0 is false. lhs and rhs hold one element type, as the result.
    """

    name = "hbir.where"

    condition = operand_def(TensorType)
    lhs = operand_def(TensorType)
    rhs = operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = (
        "$condition `,` $lhs `,` $rhs attr-dict `:` functional-type(operands, results)"
    )
    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return broadcast_shape([operand.get_shape() for operand in operands])

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        condition, lhs, rhs = (operand.get_element_type() for operand in operands)
        expect(condition in (BOOL, F32), f"condition must hold i1 or f32, got {condition}")
        expect(lhs == rhs, f"lhs and rhs must hold one element type, they hold {lhs} and {rhs}")
        return lhs


def _expect_bools(cls: type[TensorOp], operands: Sequence[AnyTensor]) -> Attribute:
    names = [name for name, _ in cls.get_irdl_definition().operands]
    for name, operand in zip(names, operands, strict=True):
        element = operand.get_element_type()
        expect(element == BOOL, f"{name} must hold i1, got {element}")
    return BOOL

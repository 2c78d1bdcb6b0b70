"""Norms over statistics of the tensor itself: layer norm, root-mean-square norm, group norm."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override
from xdsl.dialects.builtin import TensorType
from xdsl.ir import SSAValue
from xdsl.irdl import irdl_op_definition, operand_def, result_def, var_operand_def

from hbir.dialects.checks import axes_of, expect
from hbir.dialects.hbir.base import FloatOp
from hbir.dialects.properties import float_property, int_list_property, int_property
from hbir.ir.op import Operands, Params, Shape
from hbir.ir.types import AnyTensor


class NormOp(FloatOp):
    """A norm of x; `affine` is nothing, its weight, or its weight and bias."""

    x = operand_def(TensorType)
    affine = var_operand_def(TensorType)
    result = result_def(TensorType)

    assembly_format = "$x (`,` $affine^)? attr-dict `:` functional-type(operands, results)"

    @property
    def weight(self) -> SSAValue | None:
        """The factors, or None."""
        return self.affine[0] if self.affine else None

    @property
    def bias(self) -> SSAValue | None:
        """The offsets, or None."""
        return self.affine[1] if len(self.affine) > 1 else None


@irdl_op_definition
class LayernormOp(NormOp):
    """(x − mean) / √(var + eps) · weight + bias, mean and variance being over the axes `dims`.

    The variance is of the whole population (divided by the number of elements). weight and bias
    have the extents of `dims`, in the order of x's axes; without them they are 1 and 0.
    """

    name = "hbir.layernorm"

    dims = int_list_property([-1])
    eps = float_property(1e-5)

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return _normalized_shape(operands, params, parameters=2)


@irdl_op_definition
class RmsNormOp(NormOp):
    """x / √(mean of x² + eps) · weight, the mean being over the axes `dims`.

    weight has the extents of `dims`, in the order of x's axes; without it, it is 1.
    """

    name = "hbir.rms_norm"

    dims = int_list_property([-1])
    eps = float_property(1e-5)

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        return _normalized_shape(operands, params, parameters=1)


@irdl_op_definition
class GroupnormOp(NormOp):
    """(x − mean) / √(var + eps) · weight + bias per group of channels of x: (N, ..., C).

    Mean and variance are over all axes but the first, and over the C / groupNum channels of a
    group. weight and bias: (C); without them they are 1 and 0. groupNum = C is an instance norm.
    """

    name = "hbir.groupnorm"

    group_num = int_property(1, "groupNum")
    eps = float_property(1e-5)

    @classmethod
    @override
    def infer_shape(cls, operands: Operands, params: Params) -> Shape:
        shape = operands[0].get_shape()
        expect(len(shape) >= 2, f"x must be (N, ..., C), got shape {list(shape)}")
        groups = params["group_num"]
        expect(
            groups >= 1 and shape[-1] % groups == 0,
            f"groupNum must divide the {shape[-1]} channels of x, got {groups}",
        )
        _expect_parameters(operands[1:], (shape[-1],), shape, 2)
        return shape


def _normalized_shape(
    operands: Sequence[AnyTensor], params: Params, *, parameters: int
) -> tuple[int, ...]:
    shape = operands[0].get_shape()
    axes = axes_of(params["dims"], len(shape), "dims")
    expect(len(axes) > 0, "dims must name at least one dimension")
    expect(
        all(shape[axis] > 0 for axis in axes),
        f"dims {list(axes)} of x of shape {list(shape)} have no elements",
    )
    extents = tuple(shape[axis] for axis in axes)
    _expect_parameters(operands[1:], extents, shape, parameters)
    return shape


def _expect_parameters(
    operands: Sequence[AnyTensor], wanted: tuple[int, ...], shape: tuple[int, ...], most: int
) -> None:
    names = ("weight", "bias")[:most]
    expect(
        len(operands) <= most,
        f"x may be followed by {' and '.join(names)}, got {len(operands)} operands after it",
    )
    for name, operand in zip(names, operands, strict=False):
        got = operand.get_shape()
        expect(
            got == wanted,
            f"{name} must be {list(wanted)} for x of shape {list(shape)}, got {list(got)}",
        )

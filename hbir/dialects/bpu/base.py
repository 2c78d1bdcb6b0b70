"""What the integer ops have in common: element types, parameter ranges, result checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from typing_extensions import override
from xdsl.ir import Attribute, SSAValue
from xdsl.irdl import ParsePropInAttrDict, traits_def
from xdsl.traits import Pure
from xdsl.utils.exceptions import VerifyException

from hbir.dialects.checks import expect
from hbir.errors import HbirError
from hbir.ir.op import Operands, Params, ShapeError, TensorOp
from hbir.ir.types import F16, F32, SI8, SI16, SI32, AnyTensor, dtype_of, tensor_type
from hbir.kernels.float16.rounding import FLOAT16_MAX
from hbir.kernels.parameters import MULTIPLIER_MAX, MULTIPLIER_MIN, SHIFT_MAX, SHIFT_MIN

ACTIVATIONS = (SI8, SI16)
WITH_FLOAT = (*ACTIVATIONS, F16)


class IntegerOp(TensorOp):
    """An op on integers that rounds once; the builder chooses si8 or si16 for its result.

    `make(..., element=SI8)` says which.
    """

    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    ELEMENTS: ClassVar = ACTIVATIONS
    PASSES_DTYPE: ClassVar = True

    OPERAND_ELEMENTS: ClassVar[tuple[tuple[Attribute, ...], ...]] = (ACTIVATIONS,)
    """Element types that each operand may have; the last entry stands for the rest."""

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        expect_elements(cls, operands, cls.OPERAND_ELEMENTS)
        return None

    def check_result(self, params: Params, result: AnyTensor) -> None:
        """Raise ShapeError where properties don't fit the result type that the builder chose."""
        if "output_zero_point" in params:
            expect_result_zero_point(params["output_zero_point"], result)

    @override
    def verify_(self) -> None:
        super().verify_()
        params = self.params_without_result()
        result = tensor_type(self.results[0])
        try:
            self.check_result(params, result)
            expect_clip(params.get("clip"), result)
        except HbirError as error:
            raise VerifyException(str(error)) from error


class KeepingOp(TensorOp):
    """An op whose result has the element type, scale and zero point of its operands.

    Moving bytes is all that TRANS does, so the dequantized outputs of a network are moved too.
    """

    irdl_options = (ParsePropInAttrDict(),)
    traits = traits_def(Pure())

    ELEMENTS: ClassVar = (SI8, SI16, SI32, F16, F32)

    @property
    def kept_operands(self) -> Sequence[SSAValue]:
        """The operands whose integers the result holds."""
        return self.operands

    @classmethod
    @override
    def infer_element(cls, operands: Operands, params: Params) -> Attribute | None:
        first = operands[0].get_element_type()
        for index, operand in enumerate(operands):
            expect(
                operand.get_element_type() == first,
                f"operands must hold one element type, operand 0 holds {first} and operand {index}"
                f" {operand.get_element_type()}",
            )
        return first


def expect_elements(
    cls: type[TensorOp],
    operands: Sequence[AnyTensor],
    allowed: Sequence[tuple[Attribute, ...]],
) -> None:
    """Each operand must hold one of its allowed element types."""
    names = [name for name, _ in cls.get_irdl_definition().operands]
    for index, operand in enumerate(operands):
        elements = allowed[min(index, len(allowed) - 1)]
        if operand.get_element_type() not in elements:
            name = names[min(index, len(names) - 1)]
            choices = " or ".join(str(element) for element in elements)
            expect(False, f"{name} must hold {choices}, got {operand.get_element_type()}")


def expect_multiplier(multiplier: int, shift: int) -> None:
    """A requantization's pair must be in range: m = 0 or 2^14 <= m < 2^15, 2 <= s <= 62."""
    expect(
        multiplier == 0 or MULTIPLIER_MIN <= multiplier <= MULTIPLIER_MAX,
        f"multiplier must be 0 or in {MULTIPLIER_MIN}..{MULTIPLIER_MAX}, got {multiplier}",
    )
    expect_shift(shift)


def expect_shift(shift: int) -> None:
    """A requantization's shift must be in 2..62."""
    expect(
        SHIFT_MIN <= shift <= SHIFT_MAX,
        f"shift must be in {SHIFT_MIN}..{SHIFT_MAX}, got {shift}",
    )


def expect_clip(clip: tuple[int, ...] | None, result: AnyTensor) -> None:
    """Clip bounds must be in order and inside the result's integers."""
    low, high = integer_range(result)
    expect(
        clip is None or (len(clip) == 2 and low <= clip[0] <= clip[1] <= high),
        f"clip must be [lo, hi] with {low} <= lo <= hi <= {high}, got {list(clip or ())}",
    )


def expect_table(operand: AnyTensor, name: str, shape: Sequence[int]) -> None:
    """A parameter operand must have exactly this shape."""
    expect(
        tuple(operand.get_shape()) == tuple(shape),
        f"{name} must have shape {list(shape)}, got {list(operand.get_shape())}",
    )


def expect_zero_point(value: int, operand: AnyTensor | Attribute, name: str) -> None:
    """A zero point must be one of its tensor's integers."""
    low, high = integer_range(operand)
    expect(low <= value <= high, f"{name} must be in {low}..{high}, got {value}")


def expect_result_zero_point(value: int, result: AnyTensor) -> None:
    """The same for a result's: f16 has none."""
    if dtype_of(result) == np.float16:
        expect(value == 0, f"outputZeroPoint must be 0 of f16, got {value}")
        return
    expect_zero_point(value, result, "outputZeroPoint")


def integer_range(type_: Attribute) -> tuple[int, int]:
    """Smallest and largest integer of a tensor type's elements; ShapeError for other elements.

    f16 holds all integers that are bounds or pad values, up to its largest number.
    """
    dtype = dtype_of(type_)
    if dtype == np.float16:
        return -int(FLOAT16_MAX), int(FLOAT16_MAX)
    if dtype.kind not in "iu":  # to print a type takes longer than all the other checks of an op
        raise ShapeError(f"expected a tensor of integers, got {type_}")
    info = np.iinfo(dtype.name)
    return int(info.min), int(info.max)

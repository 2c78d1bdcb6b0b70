"""Fake-quants as passes handle them: making one, reading one's scale and zero point.

`hbir.fake_cast` is one too: it says that a tensor is float16.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
from xdsl.ir import Attribute, Block, Operation, SSAValue, Use
from xdsl.rewriter import InsertPoint, Rewriter

from hbir.dialects.hbir.cast import FakeCastOp
from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.ir.origin import origin_of, set_origin
from hbir.ir.rewriter import Rewrite
from hbir.ir.types import F16, SI8, SI16
from hbir.kernels.quantize import range_of, scale_and_zero_point
from hbir.passes.graph import defined_by

FakeQuantOp: TypeAlias = ConstFakeQuantOp | FakeCastOp
"""What stands on the qat level for a tensor's form on the machine."""


@dataclass(frozen=True)
class Quantization:
    """How a tensor is quantized: per tensor, scale as float32 shows it."""

    scale: float
    zero_point: int = 0
    bits: int = 8
    is_float: bool = False
    """Whether it isn't integers but float16, whose scale is 1 and zero point 0."""

    @property
    def element(self) -> Attribute:
        """The type it has on the machine: si8 up to 8 bits, else si16, or f16."""
        if self.is_float:
            return F16
        return SI8 if self.bits <= 8 else SI16


FLOAT16 = Quantization(1.0, 0, 16, is_float=True)


def symmetric_range(observed: tuple[float, float], bits: int = 8) -> tuple[float, float]:
    """The range, zero point 0, whose largest integer stands for the largest observed magnitude.

    A tensor that is all zeros gets a range from -1 to 1: it may be added to others, and an addition
    takes no input that is coarser than its result by more than some thousands.
    """
    magnitude = max(abs(observed[0]), abs(observed[1]))
    scale = np.float32(magnitude / ((1 << (bits - 1)) - 1))
    if scale < np.finfo(np.float32).tiny:
        scale = np.float32(1.0 / (1 << (bits - 1)))
    return range_of(bits, scale)


def asymmetric_range(observed: tuple[float, float], bits: int = 8) -> tuple[float, float]:
    """The narrowest range that holds the observed one, and 0 exactly.

    Its zero point is an integer, and neither end falls short by the rounding of it: a function that
    is flat beyond an end (hard swish below -3) must not have its flat part cut off. A tensor that
    is all zeros gets that of `symmetric_range`.
    """
    low, high = min(observed[0], 0.0), max(observed[1], 0.0)
    least, greatest = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    step = (high - low) / (greatest - least)
    if step < np.finfo(np.float32).tiny:
        return symmetric_range(observed, bits)
    exact = least - low / step
    candidates = {min(max(bound(exact), least), greatest) for bound in (math.floor, math.ceil)}
    scale, zero_point = min((_least_scale(low, high, z, least, greatest), z) for z in candidates)
    return range_of(bits, np.float32(scale), zero_point)


def _least_scale(low: float, high: float, zero_point: int, least: int, greatest: int) -> float:
    """The scale with which the integers around `zero_point` reach both ends; inf if none does."""
    below, above = zero_point - least, greatest - zero_point
    if (low < 0 and below == 0) or (high > 0 and above == 0):
        return math.inf
    return max(-low / below if below else 0.0, high / above if above else 0.0)


def quantization_of(op: FakeQuantOp) -> Quantization | None:
    """The quantization a per-tensor fake-quant stands for; None for a per-channel one.

    A narrow range differs by one integer, −128, which the BPU does produce.
    """
    if isinstance(op, FakeCastOp):
        return FLOAT16
    params = op.params()
    if len(params["min"]) != 1:
        return None
    scale, zero_point = scale_and_zero_point(
        params["bits"], params["min"][0], params["max"][0], params["narrow_range"]
    )
    return Quantization(float(scale), zero_point, params["bits"])


def fake_quant_at(value: SSAValue) -> FakeQuantOp | None:
    """The fake-quant that defines a value; None for others."""
    return defined_by(value, ConstFakeQuantOp) or defined_by(value, FakeCastOp)


def is_fake_quant(op: Operation | Block) -> bool:
    """Whether an op (or a value's owner) says a tensor's form on the machine."""
    return isinstance(op, FakeQuantOp)


def quantization_at(value: SSAValue) -> Quantization | None:
    """The quantization of a value that a per-tensor fake-quant defines; None for others."""
    fake_quant = fake_quant_at(value)
    return None if fake_quant is None else quantization_of(fake_quant)


def insert_fake_quant(
    rewrite: Rewrite,
    value: SSAValue,
    uses: Iterable[Use],
    *,
    minimum: float,
    maximum: float,
    bits: int = 8,
) -> SSAValue:
    """Fake-quantize `value` right after its definition, for the given uses of it."""
    op = ConstFakeQuantOp.make(value, min=[minimum], max=[maximum], bits=bits)
    return _place(rewrite, value, uses, op)


def insert_fake_cast(rewrite: Rewrite, value: SSAValue, uses: Iterable[Use]) -> SSAValue:
    """Make `value` float16 right after its definition, for the given uses of it."""
    return _place(rewrite, value, uses, FakeCastOp.make(value))


def copy_fake_quant(
    rewrite: Rewrite, value: SSAValue, uses: Iterable[Use], like: FakeQuantOp
) -> SSAValue:
    """Fake-quantize `value` as `like` does, for the given uses of it."""
    properties: dict[str, Any] = dict(like.properties)
    return _place(rewrite, value, uses, type(like).make(value, **properties))


def _place(rewrite: Rewrite, value: SSAValue, uses: Iterable[Use], op: FakeQuantOp) -> SSAValue:
    _insert_after(rewrite, value, op)
    redirect(uses, op.output)
    return op.output


def redirect(uses: Iterable[Use], value: SSAValue) -> None:
    """Make each use read `value`."""
    for use in list(uses):
        use.operation.operands[use.index] = value


def _insert_after(rewrite: Rewrite, value: SSAValue, op: FakeQuantOp) -> None:
    owner = value.owner
    set_origin(op, origin_of(value))
    if isinstance(owner, Block):
        Rewriter.insert_op(op, InsertPoint.at_start(owner))
    else:
        Rewriter.insert_op(op, InsertPoint.after(owner))
    rewrite.changed = True
    op.output.name_hint = value.name_hint


def fake_quants_of(value: SSAValue) -> list[FakeQuantOp]:
    """The fake-quants that read `value`."""
    return [cast(FakeQuantOp, use.operation) for use in value.uses if is_fake_quant(use.operation)]

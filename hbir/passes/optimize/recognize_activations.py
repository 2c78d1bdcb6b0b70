"""Find activation functions that exporters write as several element-wise ops.

Each becomes one op, hence one table lookup (or a bound of the convolution before it) instead of
several quantized steps. Constants may stand on either side of a commutative op.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.activation import (
    ClipOp,
    HardSigmoidOp,
    HardSwishOp,
    LeakyReluOp,
    ReluOp,
    SigmoidOp,
    SwishOp,
)
from hbir.dialects.hbir.elementwise import AddOp, BinaryOp, MaxOp, MinOp, MulOp, SubOp
from hbir.ir.rewriter import Pattern, Rewrite, apply_patterns
from hbir.ir.types import shape_of
from hbir.passes.graph import defined_by, splat

_TOLERANCE = 1e-6
"""Relative: constants such as 1/6 reach us rounded to float32, once or twice."""

_UNBOUNDED = 3.0e38
"""Exporters write an open side of a clip as the largest float32."""


class RecognizeActivationsPass(ModulePass):
    """relu and relu6 from clip, max and min; hard sigmoid, hard swish, swish, leaky relu."""

    name = "recognize-activations"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        patterns: dict[type[Operation], Pattern | Sequence[Pattern]] = {
            ClipOp: clip_to_relu,
            MaxOp: (max_to_relu, max_to_leaky_relu),
            MinOp: min_to_clip,
            MulOp: (scaled_clip_to_hard_sigmoid, scaled_product_to_hard_swish, gate_to_swish),
        }
        apply_patterns(ctx, op, patterns)


def clip_to_relu(op: ClipOp, rewrite: Rewrite) -> None:
    """clip(x, 0, ∞) is relu(x)."""
    params = op.params()
    if params["min"] == 0 and params["max"] >= _UNBOUNDED:
        rewrite.replace(op, ReluOp.make(op.x))


def max_to_relu(op: MaxOp, rewrite: Rewrite) -> None:
    """max(x, 0) is relu(x); max(min(x, c), 0), read as max(clip(x), 0), clips on both sides."""
    for x, number in _with_number(op, rewrite):
        upper = math.inf
        clip = defined_by(x, ClipOp)
        if clip is not None and clip.params()["min"] <= -_UNBOUNDED:
            x, upper = clip.x, clip.params()["max"]
        if upper < number:
            return
        also = [clip] if clip is not None and math.isfinite(upper) else []
        bounded = math.isfinite(upper) or number != 0
        new = ClipOp.make(x, min=number, max=float(upper)) if bounded else ReluOp.make(x)
        rewrite.replace(op, new, also=also)
        return


def min_to_clip(op: MinOp, rewrite: Rewrite) -> None:
    """min(x, c) is clip(x, −∞, c); min(relu(x), c) is clip(x, 0, c)."""
    for x, number in _with_number(op, rewrite):
        relu = defined_by(x, ReluOp)
        if relu is not None and number >= 0:
            rewrite.replace(op, ClipOp.make(relu.x, min=0.0, max=number), also=[relu])
        else:
            rewrite.replace(op, ClipOp.make(x, min=-math.inf, max=number))
        return


def max_to_leaky_relu(op: MaxOp, rewrite: Rewrite) -> None:
    """max(x, s·x) with 0 < s < 1 is leaky relu."""
    for x, other in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        scaled = defined_by(other, MulOp)
        if scaled is None:
            continue
        for base, slope in _with_number(scaled, rewrite):
            if base is x and 0 < slope < 1:
                rewrite.replace(op, LeakyReluOp.make(x, slop=slope), also=[scaled])
                return


def scaled_clip_to_hard_sigmoid(op: MulOp, rewrite: Rewrite) -> None:
    """clip(a·x + b, lo, hi) · c is a hard sigmoid of slope a·c and offset b·c if it spans 0…1."""
    for value, factor in _with_number(op, rewrite):
        clip = defined_by(value, ClipOp)
        if clip is None:
            continue
        low, high = clip.params()["min"] * factor, clip.params()["max"] * factor
        if low != 0 or not _close(high, 1.0):
            continue
        x, slope, offset, steps = _affine(clip.x, rewrite)
        new = HardSigmoidOp.make(x, alpha=slope * factor, beta=offset * factor)
        if shape_of(new.output) == shape_of(op.output):
            rewrite.replace(op, new, also=[clip, *steps])
            return


def scaled_product_to_hard_swish(op: MulOp, rewrite: Rewrite) -> None:
    """(x · clip(x + 3, 0, 6)) · 1/6 is hard swish."""
    for value, factor in _with_number(op, rewrite):
        product = defined_by(value, MulOp)
        if product is None or not _close(factor, 1 / 6):
            continue
        for x, other in ((product.lhs, product.rhs), (product.rhs, product.lhs)):
            clip = defined_by(other, ClipOp)
            if clip is None or clip.params()["min"] != 0 or not _close(clip.params()["max"], 6):
                continue
            base, slope, offset, steps = _affine(clip.x, rewrite)
            if base is x and _close(slope, 1) and _close(offset, 3):
                rewrite.replace(op, HardSwishOp.make(x), also=[product, clip, *steps])
                return


def gate_to_swish(op: MulOp, rewrite: Rewrite) -> None:
    """x · sigmoid(x) is swish; x · hard_sigmoid(x) with slope 1/6 and offset 1/2 hard swish."""
    for x, other in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        sigmoid = defined_by(other, SigmoidOp)
        if sigmoid is not None and sigmoid.x is x:
            rewrite.replace(op, SwishOp.make(x), also=[sigmoid])
            return
        hard = defined_by(other, HardSigmoidOp)
        if hard is None or hard.x is not x:
            continue
        params = hard.params()
        if _close(params["alpha"], 1 / 6) and _close(params["beta"], 0.5):
            rewrite.replace(op, HardSwishOp.make(x), also=[hard])
            return


def _with_number(op: BinaryOp, rewrite: Rewrite) -> Iterator[tuple[SSAValue, float]]:
    """(the other operand, the number) for each side that is one number throughout.

    Not when the constant enlarges the result by broadcasting.
    """
    for value, constant in ((op.lhs, op.rhs), (op.rhs, op.lhs)):
        number = splat(rewrite.constant_value(constant))
        if number is not None and shape_of(value) == shape_of(op.output):
            yield value, number


def _affine(value: SSAValue, rewrite: Rewrite) -> tuple[SSAValue, float, float, list[Operation]]:
    """x, a, b with value = a·x + b, following one addition and one multiplication by numbers."""
    steps: list[Operation] = []
    slope, offset = 1.0, 0.0
    addition = defined_by(value, AddOp)
    if addition is not None:
        for x, number in _with_number(addition, rewrite):
            value, offset = x, number
            steps.append(addition)
            break
    subtraction = defined_by(value, SubOp)
    if not steps and subtraction is not None:
        number = splat(rewrite.constant_value(subtraction.rhs))
        if number is not None and shape_of(subtraction.lhs) == shape_of(value):
            value, offset = subtraction.lhs, -number
            steps.append(subtraction)
    product = defined_by(value, MulOp)
    if product is not None:
        for x, number in _with_number(product, rewrite):
            value, slope = x, number
            steps.append(product)
            break
    return value, slope, offset, steps


def _close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=_TOLERANCE)

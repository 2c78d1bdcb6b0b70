"""Find activation functions that exporters write as several element-wise ops.

Each becomes one op, hence one table lookup (or a bound of the convolution before it) instead of
several quantized steps. Constants may stand on either side of a commutative op. Functions that are
written in many ways (gelu, mish, ...) are known by their values, not by their shape.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from typing_extensions import override
from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from hbir.dialects.hbir.activation import (
    ClipOp,
    GeluOp,
    HardSigmoidOp,
    HardSwishOp,
    LeakyReluOp,
    MishOp,
    ReciprocalOp,
    ReluOp,
    SigmoidOp,
    SoftplusOp,
    SoftsignOp,
    SwishOp,
    TanhOp,
)
from hbir.dialects.hbir.elementwise import AddOp, BinaryOp, MaxOp, MinOp, MulOp, PowOp, SubOp
from hbir.dialects.hbir.unary import LogOp, RsqrtOp, SqrtOp
from hbir.ir.function import body_of, functions_of
from hbir.ir.op import TensorOp
from hbir.ir.rewriter import Pattern, Rewrite, apply_patterns
from hbir.ir.types import Array, shape_of
from hbir.kernels.functions import table_function
from hbir.passes.cones import Cone, cones_below
from hbir.passes.graph import defined_by, derive_origin, splat

_TOLERANCE = 1e-6
"""Relative: constants such as 1/6 reach us rounded to float32, once or twice."""

_UNBOUNDED = 3.0e38
"""Exporters write an open side of a clip as the largest float32."""


class RecognizeActivationsPass(ModulePass):
    """relu and relu6 from clip, max and min; hard sigmoid, hard swish, swish, leaky relu, gelu,
    mish, softplus, softsign, sigmoid; powers that are roots."""

    name = "recognize-activations"

    @override
    def apply(self, ctx: Context, op: ModuleOp) -> None:
        patterns: dict[type[Operation], Pattern | Sequence[Pattern]] = {
            ClipOp: clip_to_relu,
            MaxOp: (max_to_relu, max_to_leaky_relu),
            MinOp: min_to_clip,
            MulOp: (scaled_clip_to_hard_sigmoid, scaled_product_to_hard_swish, gate_to_swish),
            PowOp: power_to_root,
        }
        apply_patterns(ctx, op, patterns)
        recognize_by_value(ctx, op)


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


def power_to_root(op: PowOp, rewrite: Rewrite) -> None:
    """x to the power 1, 1/2, −1, −1/2 is x, its root, its reciprocal, its inverse root."""
    for x, number in _with_number(op, rewrite):
        if x is not op.lhs:
            continue
        if number == 1:
            rewrite.replace(op, x)
        elif number in _ROOTS:
            rewrite.replace(op, _ROOTS[number].make(x))
        return


_ROOTS: dict[float, type[TensorOp]] = {0.5: SqrtOp, -1.0: ReciprocalOp, -0.5: RsqrtOp}

_KNOWN: tuple[tuple[type[TensorOp], dict[str, Any]], ...] = (
    (GeluOp, {}),
    (GeluOp, {"approximate": "tanh"}),
    (SwishOp, {}),
    (HardSwishOp, {}),
    (MishOp, {}),
    (SoftplusOp, {}),
    (SoftsignOp, {}),
    (SigmoidOp, {}),
    (TanhOp, {}),
)

_ENDS = (MulOp, LogOp, ReciprocalOp)
"""What the last op of a function in `_KNOWN` may be, as exporters write them."""

_SAMPLES = np.linspace(-9.0, 9.0, 145)

_VALUE_TOLERANCE = 1e-5
"""Exporters round √2 or √(2/π) to six digits; the two forms of gelu differ by 5e-4."""


def recognize_by_value(ctx: Context, module: ModuleOp) -> None:
    """Replace ops that together are a known function of one tensor's elements by one op."""
    rewrite = Rewrite(ctx)
    for function in functions_of(module):
        order: dict[Operation, int] = {op: i for i, op in enumerate(body_of(function).ops)}
        for op in reversed(list(order)):
            if isinstance(op, _ENDS) and op.parent is not None:
                _recognize(op, order, rewrite)


def _recognize(op: TensorOp, order: dict[Operation, int], rewrite: Rewrite) -> None:
    for cone in cones_below(op, order, rewrite.weights):
        if len(cone.ops) < 2:
            continue
        if any(isinstance(member, SwishOp) for member in cone.ops):
            return  # it has been recognized: what is left around it scales it
        values = cone.evaluate(_SAMPLES, rewrite.weights)
        known = _known(cone, values)
        if known is not None:
            rewrite.replace(op, known, also=cone.ops[-2::-1])
            return
        if _is_scaled_swish(op, cone, values, rewrite):
            return


def _known(cone: Cone, values: Array) -> TensorOp | None:
    for kind, params in _KNOWN:
        function = table_function(kind.name.partition(".")[2], **params)
        if _agree(values, function(_SAMPLES)):
            return kind.make(cone.source, **params)
    return None


def _is_scaled_swish(op: TensorOp, cone: Cone, values: Array, rewrite: Rewrite) -> bool:
    """x · sigmoid(a·x) is swish(a·x) / a, which is one table; CLIP's gelu has a = 1.702."""
    (gate,) = cone.evaluate(np.array([1.0]), rewrite.weights)
    if not 0 < gate < 1:
        return False
    alpha = float(np.float32(math.log(gate / (1 - gate))))
    swish = table_function("swish")
    if abs(alpha) < _VALUE_TOLERANCE or not _agree(values, swish(alpha * _SAMPLES) / alpha):
        return False
    scaled = rewrite.insert(
        MulOp.make(cone.source, rewrite.constant(np.array(alpha, np.float32), before=op)), before=op
    )
    derive_origin(scaled, op, "scaled")
    gated = rewrite.insert(SwishOp.make(scaled), before=op)
    derive_origin(gated, op, "swish")
    back = rewrite.constant(np.array(1 / alpha, np.float32), before=op)
    rewrite.replace(op, MulOp.make(gated, back), also=cone.ops[-2::-1])
    return True


def _agree(values: Array, wanted: Array) -> bool:
    close = np.abs(values - wanted) <= _VALUE_TOLERANCE * np.maximum(1, np.abs(wanted))
    return bool(np.all(close))


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

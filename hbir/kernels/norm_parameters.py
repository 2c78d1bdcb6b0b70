"""Integer parameters of softmax and layer norm: tables, factors, and declared error bounds.

Like `parameters`, whose requantization pairs these are made of.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hbir.kernels.parameters import (
    MULTIPLIER_MAX,
    RESIDUAL_SHIFT_MIN,
    ParameterError,
    checked_scale,
    multiplier_and_shift,
)
from hbir.kernels.types import Array

SOFTMAX_EXP_BITS = 22
SOFTMAX_CLASSES_MAX = (1 << 17) - 1
SOFTMAX_MANTISSA_BITS = 15
SOFTMAX_INDEX_BITS = 9
SOFTMAX_RECIPROCAL_BITS = 29
"""Softmax: fraction bits of an exponential, the most classes whose sum keeps the total shift at or
under 62, bits of the normalised sum, of the reciprocal's index, and of the reciprocal."""

SOFTMAX_EXPONENT_BITS = 16
SOFTMAX_EXP_SHIFT_MIN = RESIDUAL_SHIFT_MIN
"""Fraction bits of the exponent of 2 for si16 inputs, and the least shift that gives it."""

SOFTMAX_SHIFT_MIN, SOFTMAX_SHIFT_MAX = -14, 9
"""Softmax's shift: 29 + n + shift is in 23..62 for n = 8 (a sum of 2^22) to 24 (below 2^39)."""

SOFTMAX_COARSEST_SCALE = 1 / 32
"""Of the output: what that shift leaves room for."""

RSQRT_MANTISSA_BITS = 16
RSQRT_INDEX_SHIFT = 6
RSQRT_RESULT_BITS = 23
RSQRT_KNOTS = 769
"""Inverse root: most bits of the mantissa (an even exponent leaves 15 or 16), bits between two
knots of the table, fraction bits of its values, and how many there are."""

LAYERNORM_FRACTION_BITS = 20
LAYERNORM_BIAS_BITS = 8
LAYERNORM_SHIFT_MAX = 40
LAYERNORM_EPSILON_MAX = 1 << 61
LAYERNORM_ELEMENTS_MAX = 1 << 16
RMS_NORM_ELEMENTS_MAX = 1 << 15
"""Layer norm: fraction bits of a normalised element and of a bias, and limits that keep every step
inside 64 bits (docs/arithmetic.md): N^2 * 2^30 <= 2^62 with the mean taken off, N^2 * 2^32 <= 2^62
with a zero point."""

# --------------------------------------------------------------------------- softmax


@dataclass(frozen=True)
class SoftmaxParameters:
    """The operands (`exp_table`, `reciprocal_table`) and properties of bpu.softmax."""

    exp_table: npt.NDArray[np.int32]
    reciprocal_table: npt.NDArray[np.int32]
    multiplier: int
    shift: int
    exp_multiplier: int = 0
    exp_shift: int = 0


def softmax_parameters(
    input_scale: float, output_scale: float, classes: int, *, input_bits: int = 8
) -> SoftmaxParameters:
    """Tables and requantization of bpu.softmax over `classes` elements.

    exp_table, si8: round(exp(-d * input_scale) * 2^22) for d = max - x in 0..255. si16:
    round(2^(22 - i / 512)) for i in 0..512, at the fraction of
    d * exp_multiplier * 2^-exp_shift = d * input_scale * log2(e) * 2^16.
    reciprocal_table[i] = round(2^29 / (2^14 + i * 2^5)) for i in 0..512: 1 / mantissa at 513 knots,
    interpolated between. (multiplier, shift) = 1 / output_scale, the shift may be <= 0.
    Raises ParameterError for more than 131071 classes.
    """
    if classes > SOFTMAX_CLASSES_MAX:
        raise ParameterError(
            f"softmax over {classes} classes: the sum of exponentials holds {SOFTMAX_CLASSES_MAX}"
        )
    input_scale = checked_scale(input_scale, "the input's")
    exp_multiplier = exp_shift = 0
    if input_bits <= 8:
        exponentials = np.exp(-np.arange(256, dtype=np.float64) * input_scale)
    else:
        exponentials = np.exp2(
            -np.arange((1 << SOFTMAX_INDEX_BITS) + 1) / (1 << SOFTMAX_INDEX_BITS)
        )
        ratio = input_scale * math.log2(math.e) * 2.0**SOFTMAX_EXPONENT_BITS
        pair = multiplier_and_shift(ratio, shift_min=SOFTMAX_EXP_SHIFT_MIN)
        exp_multiplier, exp_shift = int(pair[0]), int(pair[1])
    first_knot = 1 << (SOFTMAX_MANTISSA_BITS - 1)
    knots = first_knot + np.arange((1 << SOFTMAX_INDEX_BITS) + 1) * (
        first_knot >> SOFTMAX_INDEX_BITS
    )
    ratio = 1 / checked_scale(output_scale, "the output's")
    multiplier, shift = multiplier_and_shift(ratio, shift_min=SOFTMAX_SHIFT_MIN)
    if shift > SOFTMAX_SHIFT_MAX:
        raise ParameterError(
            f"softmax: output scale {output_scale:.6g} is too coarse for results in 0..1; use 1/32"
            " or less"
        )
    return SoftmaxParameters(
        np.rint(exponentials * 2.0**SOFTMAX_EXP_BITS).astype(np.int32),
        np.rint(2.0**SOFTMAX_RECIPROCAL_BITS / knots).astype(np.int32),
        int(multiplier),
        int(shift),
        exp_multiplier,
        exp_shift,
    )


def softmax_error_bound(output_scale: float, classes: int, *, input_bits: int = 8) -> float:
    """Proven bound of |integer softmax - float64 softmax| on the same codes, in output steps.

    docs/arithmetic.md derives it: half a step for the last rounding, the exponentials' rounding
    through numerator and sum, and the relative error of reciprocal and multiplier. It holds for
    any input scale, for the exponentials' rounding is absolute; that of si16's exponent is relative
    to it.
    """
    exponentials = 0.5 * (1 + classes) / 2.0**SOFTMAX_EXP_BITS
    exponent = 0.0
    if input_bits > 8:
        exponentials *= 2
        exponent = (0.5 + math.log(classes)) * 2.0**-15 + 2.0**-16
    return 0.5 + (exponentials + exponent + 2.0**-12) / output_scale


# --------------------------------------------------------------------------- layer norm


@dataclass(frozen=True)
class LayernormParameters:
    """The operands (`affine`, `rsqrt_table`) and properties of bpu.layernorm."""

    affine: npt.NDArray[np.int32]
    rsqrt_table: npt.NDArray[np.int32]
    shift: int
    epsilon: int


def layernorm_parameters(
    input_scale: float,
    output_scale: float,
    elements: int,
    *,
    eps: float,
    weight: npt.ArrayLike,
    bias: npt.ArrayLike,
) -> LayernormParameters:
    """Table, factors and bounds of bpu.layernorm over rows of `elements`.

    affine (elements, 2): weight / output_scale * 2^(shift - 20), the largest with 15 bits, and
    bias / output_scale * 2^8. rsqrt_table[i] = round(2^23 / sqrt(2^14 + i * 2^6)) for i in 0..768.
    epsilon = round(eps * elements^2 / input_scale^2), at most 2^61.
    Raises ParameterError for a bias beyond 2^22 output steps or weights beyond 2^26.
    """
    output_scale = checked_scale(output_scale, "the output's")
    factors = np.broadcast_to(np.asarray(weight, np.float64) / output_scale, (elements,))
    offsets = np.broadcast_to(np.asarray(bias, np.float64) / output_scale, (elements,))
    largest = float(np.abs(factors).max())
    if not largest < 2.0**26 or not float(np.abs(offsets).max()) < 2.0**22:
        raise ParameterError(
            f"layernorm: weights reach {largest:.6g} and biases {float(np.abs(offsets).max()):.6g}"
            " steps of the output, the limits are 2^26 and 2^22; widen its calibrated range"
        )
    exponent = math.frexp(largest)[1]
    shift = min(LAYERNORM_FRACTION_BITS + 15 - exponent, LAYERNORM_SHIFT_MAX)
    multiplier = np.rint(factors * 2.0 ** (shift - LAYERNORM_FRACTION_BITS))
    multiplier = np.clip(multiplier, -MULTIPLIER_MAX, MULTIPLIER_MAX)
    offset = np.rint(offsets * 2.0**LAYERNORM_BIAS_BITS)
    scaled = eps * (elements / checked_scale(input_scale, "the input's")) ** 2
    first = 1 << (RSQRT_MANTISSA_BITS - 2)
    knots = np.arange(first, (1 << RSQRT_MANTISSA_BITS) + 1, 1 << RSQRT_INDEX_SHIFT)
    return LayernormParameters(
        np.stack([multiplier, offset], axis=1).astype(np.int32),
        np.rint(2.0**RSQRT_RESULT_BITS / np.sqrt(knots)).astype(np.int32),
        shift,
        round(min(scaled, float(LAYERNORM_EPSILON_MAX))),
    )


def layernorm_error_bound(
    normal: npt.ArrayLike, variance: npt.ArrayLike, weight: float, output_scale: float
) -> Array:
    """Proven bound of |integer layer norm - float64 layer norm| on the same codes, in output steps.

    normal: the exact normalised element; variance: N^2 * (variance of the codes + eps / scale^2) of
    its row; weight: the largest magnitude. docs/arithmetic.md derives it.
    """
    magnitude = np.abs(np.asarray(normal, np.float64))
    relative = 2.0**-14 + 2.0**-15 + 0.25 / np.maximum(np.asarray(variance, np.float64) - 0.5, 1)
    steps = abs(weight) / output_scale
    return np.asarray(0.5 + 2.0**-9 + steps * (magnitude * relative + 2.0**-20))

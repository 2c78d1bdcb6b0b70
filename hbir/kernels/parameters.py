"""Integer parameters from real numbers: multipliers, shifts, biases, tables, fixed-point steps.

Pure functions of scales, weights and zero points; `passes/convert` calls them and writes what they
return into the `bpu` ops. The kernels in `kernels/integer` consume exactly these integers.
`docs/arithmetic.md` states each derivation as a formula with its error bound.

A real value r and its integer q are tied by r = scale * (q - zero_point).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hbir.errors import HbirError
from hbir.kernels.types import Array

MULTIPLIER_MIN = 1 << 14
MULTIPLIER_MAX = (1 << 15) - 1
SHIFT_MIN, SHIFT_MAX = 2, 62
"""TOSA RESCALE's ranges for a 16-bit multiplier (published)."""

RESIDUAL_SHIFT_MIN = -16
"""Largest left shift of a residual: 2^7 * 2^15 * 2^16 stays under 2^38, far inside int64."""

BIAS_LIMIT = (1 << 30) - 1
RESIDUAL_LIMIT = 1 << 29
"""Magnitudes that weight scales are floored to respect; with 128 * sum|w| < 2^29 the whole
accumulator stays under 2^31."""

WIDE_RESIDUAL_LIMIT = 1 << 37
"""RESIDUAL_LIMIT where x or w is int16 and the accumulator has 48 bits: with products of at most
2^45 in all it stays under 2^47, and an int8 residual's factor under 2^31, the largest there is."""

IDENTITY_MULTIPLIER, IDENTITY_SHIFT = 1 << 14, 14
"""A requantization by exactly 1: written where the op gives its accumulator out raw."""

BLOCK_ELEMENTS = 1 << 16
"""Weights that are worked on at once: half a megabyte in float64."""

RESIZE_FRACTION_BITS = 32
RESIZE_SNAP_BITS = 18
RESIZE_WEIGHT_BITS = 11


class ParameterError(HbirError):
    """Scales for which no integer parameters exist."""


# --------------------------------------------------------------------------- multiplier and shift


def multiplier_and_shift(
    ratio: npt.ArrayLike, *, output_bits: int = 8, shift_min: int = SHIFT_MIN
) -> tuple[Array, Array]:
    """int32 (m, s) with m * 2^-s nearest to `ratio`: 2^14 <= m < 2^15 and shift_min <= s <= 62.

    |m * 2^-s - ratio| <= ratio * 2^-15. Two ends are exact without being near:
    a ratio under 2^-48 gives (0, 2), for no 48-bit accumulator then rounds to anything but 0;
    a ratio above 8191.75 with an output of at most 12 bits gives the largest pair, for every
    accumulator but 0 then saturates either way. Other outputs raise ParameterError, as do
    negative and non-finite ratios.
    """
    ratios = np.asarray(ratio, np.float64)
    if not np.all(np.isfinite(ratios) & (ratios >= 0)):
        raise ParameterError(
            f"a requantization ratio must be finite and not negative, got {_worst(ratios)};"
            " check the scales (a scale of 0, inf or nan comes from an unobserved tensor)"
        )
    fraction, exponent = np.frexp(ratios)
    multiplier = np.rint(np.ldexp(fraction, 15)).astype(np.int64)
    renormalise = multiplier > MULTIPLIER_MAX
    multiplier = np.where(renormalise, MULTIPLIER_MIN, multiplier)
    shift = 15 - exponent.astype(np.int64) - renormalise

    vanishing = (ratios == 0) | (shift > SHIFT_MAX)
    multiplier = np.where(vanishing, 0, multiplier)
    shift = np.where(vanishing, SHIFT_MIN, shift)

    excessive = shift < shift_min
    if np.any(excessive) and (output_bits > 12 or shift_min < SHIFT_MIN):
        limit = MULTIPLIER_MAX * 2.0**-shift_min
        raise ParameterError(
            f"requantization ratio {float(ratios[excessive].max()):.6g} exceeds {limit:.6g}, the"
            f" largest for a {output_bits}-bit result; the output's scale is too small beside the"
            " inputs': widen its calibrated range"
        )
    multiplier = np.where(excessive, MULTIPLIER_MAX, multiplier)
    shift = np.where(excessive, shift_min, shift)
    return multiplier.astype(np.int32), shift.astype(np.int32)


def scalar_multiplier_and_shift(ratio: float, *, output_bits: int = 8) -> tuple[int, int]:
    """`multiplier_and_shift` of one ratio, as Python ints."""
    multiplier, shift = multiplier_and_shift(ratio, output_bits=output_bits)
    return int(multiplier), int(shift)


def _worst(ratios: Array) -> float:
    bad = ~(np.isfinite(ratios) & (ratios >= 0))
    return float(ratios[bad].flat[0])


def checked_scale(scale: float, what: str) -> float:
    """`scale`, which must be positive and finite; `what` names it. Raises ParameterError."""
    if not (math.isfinite(scale) and scale > 0):
        raise ParameterError(
            f"{what} scale must be positive and finite, got {scale}; recalibrate that tensor"
        )
    return float(scale)


def _scale_ratio(input_scale: float, output_scale: float) -> float:
    return checked_scale(input_scale, "the input's") / checked_scale(output_scale, "the output's")


def _integer_range(dtype: npt.DTypeLike) -> tuple[int, int]:
    info = np.iinfo(np.dtype(dtype).name)
    return int(info.min), int(info.max)


# --------------------------------------------------------------------------- convolution, linear


@dataclass(frozen=True)
class Residual:
    """The quantization of a tensor added into a convolution's accumulator."""

    scale: float
    zero_point: int = 0
    bits: int = 8


def floor_weight_scales(
    scales: npt.ArrayLike,
    *,
    bias: npt.ArrayLike | None,
    input_scale: float,
    output_scale: float | None,
    residual: Residual | None = None,
    accumulator_bits: int = 32,
) -> npt.NDArray[np.float32]:
    """Per-channel weight scales raised just enough that a channel's integers stay in range.

    A channel whose weights vanish beside its bias (or residual) would need a bias beyond 2^30, a
    residual beyond 2^29 (2^37 with 48 accumulator bits) or a shift beyond 62. Such a channel's
    weights quantize to fewer levels, down to 0; its output is then carried by the bias, which keeps
    its full precision.
    A channel stays at 0 only if it has no weights, no bias and no residual.

    scales: (Cout,) from max|w| / 127, 0 for an all-zero channel. `output_scale` None: raw output.
    """
    source = np.asarray(scales, np.float64)
    if not np.all(np.isfinite(source) & (source >= 0)):
        raise ParameterError(
            f"a weight scale must be finite and not negative, got {_worst(source)};"
            " check the weights for inf and nan"
        )
    input_scale = checked_scale(input_scale, "the input's")
    floor = np.zeros_like(source)
    if bias is not None:
        biases = np.abs(np.asarray(bias, np.float64))
        floor = np.maximum(floor, biases / (input_scale * (BIAS_LIMIT // 2)))
    if residual is not None:
        largest = checked_scale(residual.scale, "the residual's") * 2.0 ** (residual.bits - 1)
        limit = RESIDUAL_LIMIT if accumulator_bits <= 32 else WIDE_RESIDUAL_LIMIT
        floor = np.maximum(floor, largest / (input_scale * limit))
    if output_scale is not None:
        smallest = checked_scale(output_scale, "the output's") * 2.0 ** (14 - SHIFT_MAX)
        floor = np.where((source > 0) | (floor > 0), np.maximum(floor, smallest / input_scale), 0)
    # The margin keeps the rounding to float32 from undoing the floor; float32's own smallest
    # normal number bounds what a scale attribute can say.
    raised = np.where(floor > 0, np.maximum(floor * (1 + 2.0**-20), np.finfo(np.float32).tiny), 0)
    return np.maximum(source, raised).astype(np.float32)


def quantize_weights(
    weights: Array, scales: npt.ArrayLike, *, bits: int = 8
) -> npt.NDArray[np.int8 | np.int16]:
    """int8 or int16 weights, symmetric, per channel of axis 0: round-half-even of w / scale.

    `bits` 8: -127..127, 16: -32767..32767. A channel of scale 0 gives zeros.
    """
    column = np.asarray(scales, np.float64).reshape(-1, *([1] * (weights.ndim - 1)))
    divisor = np.where(column > 0, column, np.inf)
    largest = (1 << (bits - 1)) - 1
    integers = np.empty(weights.shape, np.int8 if bits <= 8 else np.int16)
    for channels in channel_blocks(weights.shape):
        steps = np.divide(weights[channels], divisor[channels], dtype=np.float64)
        np.rint(steps, out=steps)
        integers[channels] = np.clip(steps, -largest, largest, out=steps)
    return integers


def channel_blocks(shape: Sequence[int]) -> Iterator[slice]:
    """Slices of axis 0 with so few elements that arrays made of them stay in the cache.

    Weights have megabytes; temporaries of their size cost more than the arithmetic.
    """
    step = max(1, BLOCK_ELEMENTS // max(1, math.prod(shape[1:])))
    return (slice(start, start + step) for start in range(0, shape[0], step))


def conv_qpp(
    quantized_weights: Array,
    weight_scales: npt.ArrayLike,
    *,
    bias: npt.ArrayLike | None,
    input_scale: float,
    output_scale: float | None,
    input_zero_point: int = 0,
    residual: Residual | None = None,
    output_bits: int = 8,
) -> npt.NDArray[np.int32]:
    """The `qpp` table of a convolution: si32 (Cout, 3), or (Cout, 5) with a residual.

    Columns bias, multiplier, shift[, residual multiplier, residual shift]. The accumulator's scale
    is input_scale * weight_scale per channel; the bias holds the real bias on that scale, minus
    input_zero_point * sum(w), minus the residual's zero point on that scale.
    quantized_weights: (Cout, ...). `output_scale` None: the accumulator is given out raw, and the
    pair is an identity. Raises ParameterError when a bias doesn't fit 2^30 (the scales weren't
    floored) or a ratio has no multiplier.
    """
    channels = quantized_weights.shape[0]
    scales = np.asarray(weight_scales, np.float64)
    accumulator_scale = scales * checked_scale(input_scale, "the input's")
    live = accumulator_scale > 0
    safe = np.where(live, accumulator_scale, 1)

    real_bias = np.zeros(channels) if bias is None else np.asarray(bias, np.float64)
    if np.any(~live & (real_bias != 0)):
        channel = int(np.argmax(~live & (real_bias != 0)))
        raise ParameterError(
            f"channel {channel} has weight scale 0 but a bias; floor_weight_scales gives it a scale"
        )
    total = np.where(live, np.rint(real_bias / safe), 0)
    if input_zero_point:
        sums = quantized_weights.reshape(channels, -1).sum(axis=1, dtype=np.int64)
        total = total - input_zero_point * sums
    columns: list[Array] = []
    if residual is not None:
        ratio = np.where(live, residual.scale / safe, 0)
        multiplier, shift = multiplier_and_shift(ratio, shift_min=RESIDUAL_SHIFT_MIN)
        columns = [multiplier, shift]
        total = total - np.rint(residual.zero_point * np.ldexp(multiplier.astype(float), -shift))
    if np.any(np.abs(total) > BIAS_LIMIT):
        channel = int(np.argmax(np.abs(total)))
        raise ParameterError(
            f"the bias of channel {channel} is {total[channel]:.6g} on its accumulator's scale,"
            f" beyond 2^30; its weight scale {scales[channel]:.6g} is too small"
            " (floor_weight_scales raises it)"
        )
    if output_scale is None:
        multiplier = np.full(channels, IDENTITY_MULTIPLIER)
        shift = np.full(channels, IDENTITY_SHIFT)
    else:
        ratio = accumulator_scale / checked_scale(output_scale, "the output's")
        multiplier, shift = multiplier_and_shift(ratio, output_bits=output_bits)
    return np.stack([total, multiplier, shift, *columns], axis=1).astype(np.int32)


# --------------------------------------------------------------------------- element-wise


def add_parameters(
    lhs_scale: float,
    rhs_scale: float,
    output_scale: float,
    *,
    lhs_zero_point: int = 0,
    rhs_zero_point: int = 0,
    subtract: bool = False,
    output_bits: int = 8,
    lhs_bits: int = 8,
    rhs_bits: int = 8,
) -> dict[str, Any]:
    """`multipliers`, `shift` and `bias` of bpu.add: one shared shift, one rounding.

    The larger ratio's multiplier is normalised to 15 bits; the smaller one is rounded to the same
    shift, which costs at most 2^-shift-1 * |y|. The zero points are folded into the bias. An int8
    beside an int16 is taken 2^7 times, so that both fill 16 bits and neither multiplier loses its
    own.
    """
    output = checked_scale(output_scale, "the output's")
    lhs_widening, rhs_widening = add_widening(lhs_bits // 8, rhs_bits // 8)
    ratios = (
        checked_scale(lhs_scale, "the left input's") / output / 2.0**lhs_widening,
        checked_scale(rhs_scale, "the right input's") / output / 2.0**rhs_widening,
    )
    largest = max(ratios)
    if largest > MULTIPLIER_MAX / 4:
        raise ParameterError(
            f"add: an input's scale is {largest:.6g} times the output's, the limit is"
            f" {MULTIPLIER_MAX / 4}; widen the output's calibrated range"
        )
    _, shift = scalar_multiplier_and_shift(largest, output_bits=output_bits)
    lhs, rhs = (min(round(ratio * 2.0**shift), MULTIPLIER_MAX) for ratio in ratios)
    if subtract:
        rhs = -rhs
    bias = -((lhs_zero_point * lhs << lhs_widening) + (rhs_zero_point * rhs << rhs_widening))
    return {"multipliers": (lhs, rhs), "shift": shift, "bias": bias}


def add_widening(lhs_itemsize: int, rhs_itemsize: int) -> tuple[int, int]:
    """Left shifts of bpu.add's operands: 7 for an int8 beside an int16, else 0."""
    return 7 * (rhs_itemsize > lhs_itemsize), 7 * (lhs_itemsize > rhs_itemsize)


def mul_parameters(
    lhs_scale: float, rhs_scale: float, output_scale: float, *, output_bits: int = 8
) -> dict[str, Any]:
    """`multiplier` and `shift` of bpu.mul and bpu.matmul: lhs_scale * rhs_scale / output_scale."""
    product = checked_scale(lhs_scale, "the left input's") * checked_scale(
        rhs_scale, "the right input's"
    )
    ratio = product / checked_scale(output_scale, "the output's")
    multiplier, shift = scalar_multiplier_and_shift(ratio, output_bits=output_bits)
    return {"multiplier": multiplier, "shift": shift}


def compare_parameters(
    lhs_scale: float,
    rhs_scale: float,
    output_scale: float,
    output_zero_point: int,
    *,
    dtype: npt.DTypeLike = np.int8,
) -> dict[str, Any]:
    """`multipliers` and `values` of bpu.compare.

    The multipliers are as the scales, the larger one normalised to 15 bits; equal scales have equal
    ones, so that equal numbers compare equal. The values are the result's integers of 0 and 1.
    """
    scales = (
        checked_scale(lhs_scale, "the left input's"),
        checked_scale(rhs_scale, "the right input's"),
    )
    factors = [scale / max(scales) for scale in scales]
    low, high = clip_bounds(0.0, 1.0, output_scale, output_zero_point, dtype=dtype)
    return {
        "multipliers": [round(factor * MULTIPLIER_MAX) for factor in factors],
        "values": [low, high],
    }


def rescale_parameters(
    input_scale: float, output_scale: float, *, output_bits: int = 8
) -> dict[str, Any]:
    """`multiplier` and `shift` of bpu.rescale: input_scale / output_scale."""
    ratio = _scale_ratio(input_scale, output_scale)
    multiplier, shift = scalar_multiplier_and_shift(ratio, output_bits=output_bits)
    return {"multiplier": multiplier, "shift": shift}


def prelu_parameters(
    input_scale: float, output_scale: float, slopes: npt.ArrayLike, *, output_bits: int = 8
) -> tuple[dict[str, Any], npt.NDArray[np.int32]]:
    """`multiplier` and `shift` of bpu.prelu, and its si32 slope operand, on one shared shift."""
    ratio = _scale_ratio(input_scale, output_scale)
    real = np.atleast_1d(np.asarray(slopes, np.float64)).reshape(-1)
    largest = ratio * max(1.0, float(np.abs(real).max()))
    if not math.isfinite(largest) or largest > MULTIPLIER_MAX / 4:
        raise ParameterError(
            f"prelu: ratio {largest:.6g} of input to output scale (times the slope) exceeds"
            f" {MULTIPLIER_MAX / 4}; widen the output's calibrated range"
        )
    _, shift = scalar_multiplier_and_shift(largest, output_bits=output_bits)
    multiplier = min(round(ratio * 2.0**shift), MULTIPLIER_MAX)
    slope = np.rint(real * ratio * 2.0**shift)
    slope = np.clip(slope, -MULTIPLIER_MAX, MULTIPLIER_MAX).astype(np.int32)
    return {"multiplier": multiplier, "shift": shift}, slope


def clip_bounds(
    minimum: float | None,
    maximum: float | None,
    scale: float,
    zero_point: int = 0,
    *,
    dtype: npt.DTypeLike = np.int8,
) -> tuple[int, int]:
    """`clip` of a real clip: round-half-even(bound / scale) + zero point, inside `dtype`.

    None and infinities are the ends of `dtype`.
    """
    lowest, highest = _integer_range(dtype)
    scale = checked_scale(scale, "the clipped tensor's")

    def bound(value: float | None, end: int) -> int:
        if value is None:
            return end
        return int(np.clip(np.rint(value / scale) + zero_point, lowest, highest))

    return bound(minimum, lowest), bound(maximum, highest)


# --------------------------------------------------------------------------- pooling, reduction


def avg_pool_qpp(
    input_scale: float,
    output_scale: float,
    kernel_elements: int,
    *,
    exclude_pad: bool,
    output_bits: int = 8,
) -> npt.NDArray[np.int32]:
    """The `qpp` table of bpu.avg_pool, si32, columns multiplier and shift.

    One row dividing by `kernel_elements` when padding counts (or there is none); else one row per
    valid count 0..kernel_elements, row 0 being (0, 2): a window that lies in the padding gives the
    zero point.
    """
    ratio = _scale_ratio(input_scale, output_scale)
    if exclude_pad:
        counts = np.arange(1, kernel_elements + 1)
        ratios = np.concatenate([[0.0], ratio / counts])
    else:
        ratios = np.array([ratio / kernel_elements])
    return np.stack(multiplier_and_shift(ratios, output_bits=output_bits), axis=1)


def reduce_mean_parameters(
    input_scale: float, output_scale: float, count: int, *, output_bits: int = 8
) -> dict[str, Any]:
    """`multiplier` and `shift` of bpu.reduce_mean over `count` elements."""
    ratio = _scale_ratio(input_scale, output_scale)
    multiplier, shift = scalar_multiplier_and_shift(ratio / count, output_bits=output_bits)
    return {"multiplier": multiplier, "shift": shift}


# --------------------------------------------------------------------------- resize


def resize_parameters(
    step: Sequence[float],
    initial_offset: Sequence[float],
    *,
    mode: str,
    nearest_mode: str = "round_prefer_floor",
) -> dict[str, Any]:
    """`step`, `initial_offset` and `fraction_bits` of bpu.resize2d from the real ones.

    Positions are step * index + offset with 32 fraction bits; a step's rounding is off by at most
    2^-33, hence by 2^-20 at index 8191. True positions are rationals with small denominators, so
    for nearest the offset is moved by 2^-18 to the side that the mode's tie falls to: positions
    that are whole (or half) in exact arithmetic are so again, and no other position is disturbed.
    """
    scale = 2.0**RESIZE_FRACTION_BITS
    snap = 0
    if mode == "nearest":
        upwards = nearest_mode in ("floor", "round_prefer_ceil")
        snap = (1 if upwards else -1) << (RESIZE_FRACTION_BITS - RESIZE_SNAP_BITS)
    return {
        "step": tuple(round(value * scale) for value in step),
        "initial_offset": tuple(round(value * scale) + snap for value in initial_offset),
        "fraction_bits": RESIZE_FRACTION_BITS,
    }

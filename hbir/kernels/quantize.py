"""Between float and integers: ranges, scales and zero points, quantize, dequantize, fake-quantize.

Shared by both worlds: the float level simulates quantization with exactly the arithmetic that the
quantized level's edges perform.

    quantize(x)   = clip(round_half_even(x / s) + z, qmin, qmax)     division in float32
    dequantize(q) = float32(q − z) · s                               product in float32
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hbir.errors import HbirError
from hbir.kernels.float16.rounding import to_float16
from hbir.kernels.table import kernel
from hbir.kernels.types import Array, FloatArray

EMPTY_RANGE_SCALE = np.float32(1.0)
"""Scale of a range without extent, in which nothing but 0 falls (a dead channel)."""


def integer_range(bits: int, narrow_range: bool = False) -> tuple[int, int]:
    """The least and greatest quantized value: −2^(bits−1) (narrow: one more) … 2^(bits−1) − 1.

    Raises HbirError for other widths than 2…16 bits.
    """
    if not 2 <= bits <= 16:
        raise HbirError(f"bits must be 2..16, got {bits}")
    half = 1 << (bits - 1)
    return -half + int(narrow_range), half - 1


def scales_and_zero_points(
    bits: int,
    minimum: npt.ArrayLike,
    maximum: npt.ArrayLike,
    narrow_range: bool = False,
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """The float32 scales and the zero points of ranges [minimum, maximum], one each per channel.

    scale = float32((max − min) / (qmax − qmin)), zero point = round_half_even(qmin − min / scale)
    clipped to the integer range, in float64: exactly the inverse of `range_of`. A range too small
    for a normal float32 scale gets `EMPTY_RANGE_SCALE` and zero point 0. Raises HbirError when a
    bound is not finite or minimum > maximum.
    """
    qmin, qmax = integer_range(bits, narrow_range)
    low = np.atleast_1d(np.asarray(minimum, np.float64))
    high = np.atleast_1d(np.asarray(maximum, np.float64))
    _check_ranges(low, high)
    with np.errstate(over="ignore", under="ignore"):
        scale = ((high - low) / (qmax - qmin)).astype(np.float32)
    if not np.isfinite(scale).all():
        raise HbirError(f"range [{low.min()}, {high.max()}] is too wide for a float32 scale")
    empty = scale < np.finfo(np.float32).tiny
    scale[empty] = EMPTY_RANGE_SCALE
    zero_point = np.rint(qmin - low / scale.astype(np.float64))
    zero_point = np.clip(zero_point, qmin, qmax).astype(np.int64)
    zero_point[empty] = 0
    return scale, zero_point


def _check_ranges(low: Array, high: Array) -> None:
    if low.shape != high.shape:
        raise HbirError(f"{low.size} minimums and {high.size} maximums don't pair up")
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise HbirError("a quantization range must be finite; its data holds inf or nan")
    if (low > high).any():
        at = int(np.argmax(low > high))
        raise HbirError(f"minimum {low[at]} exceeds maximum {high[at]} (channel {at})")


def scale_and_zero_point(
    bits: int, minimum: float, maximum: float, narrow_range: bool = False
) -> tuple[np.float32, int]:
    """`scales_and_zero_points` of one range."""
    scale, zero_point = scales_and_zero_points(bits, minimum, maximum, narrow_range)
    return np.float32(scale[0]), int(zero_point[0])


def range_of(
    bits: int, scale: float | np.float32, zero_point: int = 0, narrow_range: bool = False
) -> tuple[float, float]:
    """The range that a float32 scale and zero point stand for: ((qmin − z)·s, (qmax − z)·s).

    Exact in float64, since an integer of 17 bits times a float32 has at most 41 significant bits.
    """
    qmin, qmax = integer_range(bits, narrow_range)
    exact = float(np.float32(scale))
    return (qmin - zero_point) * exact, (qmax - zero_point) * exact


def along_axis(values: Array, rank: int, axis: int | None) -> Array:
    """Per-channel values shaped to broadcast along `axis` of a tensor; one value stays one."""
    if axis is None or values.size == 1:
        return values.reshape((1,) * rank)
    shape = [1] * rank
    shape[axis] = values.size
    return values.reshape(shape)


def steps_of(x: FloatArray, scale: Array, zero_point: Array, qmin: int, qmax: int) -> FloatArray:
    """The quantized values, still as float32; nan becomes qmin.

    scale, zero_point: as `along_axis` gives them.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.divide(x, scale, out=np.empty(np.shape(x), np.float32))
    np.rint(steps, out=steps)
    if zero_point.any():
        steps += zero_point
    np.fmax(steps, np.float32(qmin), out=steps)
    return np.fmin(steps, np.float32(qmax), out=steps)


def _one_scale(scale: float) -> Array:
    return np.asarray(scale, np.float32)


@kernel("qnt.quantize")
def quantize(x: Array, *, scale: float, dtype: np.dtype[Any], zero_point: int = 0) -> Array:
    """x of any shape, float32 or float16 → si8, si16 or float16 (`dtype`), saturating.

    float16, which has scale 1 and zero point 0, is rounded to. nan becomes the least value.
    """
    if dtype == np.float16:
        return to_float16(x)
    if x.dtype != np.float32:
        x = x.astype(np.float32)
    limits = np.iinfo(dtype.name)
    zero = np.asarray(zero_point, np.float32)
    return steps_of(x, _one_scale(scale), zero, limits.min, limits.max).astype(dtype)


@kernel("qnt.dequantize")
def dequantize(
    q: Array, scale: FloatArray, *, zero_point: int = 0, dtype: npt.DTypeLike = np.float32
) -> Array:
    """q of any shape, integers or float16 → float32, or that rounded to float16 (`dtype`).

    scale: [1], or one per channel of the last axis.
    """
    if zero_point:
        q = q.astype(np.int64) - zero_point
    value = q.astype(np.float32) * scale.astype(np.float32, copy=False)
    return to_float16(value) if np.dtype(dtype) == np.float16 else value


@kernel("qnt.const_fake_quant")
def const_fake_quant(
    x: FloatArray,
    *,
    min: Sequence[float],
    max: Sequence[float],
    bits: int = 8,
    narrow_range: bool = False,
    axis: int | None = None,
    illegal: bool = False,
) -> FloatArray:
    """dequantize(quantize(x)) with the scale of [min, max]; per channel of `axis` when given.

    `illegal` (the published mark of an op that convert must still remove) has no effect here.
    """
    del illegal
    qmin, qmax = integer_range(bits, narrow_range)
    scales, zero_points = scales_and_zero_points(bits, min, max, narrow_range)
    scale = along_axis(scales, x.ndim, axis)
    zero_point = along_axis(zero_points.astype(np.float32), x.ndim, axis)
    steps = steps_of(x, scale, zero_point, qmin, qmax)
    if zero_point.any():
        steps -= zero_point
    return np.multiply(steps, scale, out=steps)

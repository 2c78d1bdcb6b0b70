"""Element-wise integer ops over NumPy broadcasting: add, mul, max, min, prelu.

Each computes exactly in wide integers and rounds once. Arithmetic runs in int32 where the operands'
widths and the shift prove that it can't overflow, else in int64; the result is the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hbir.kernels.integer.requantize import requantize, round_shift, saturate
from hbir.kernels.parameters import add_widening
from hbir.kernels.table import kernel
from hbir.kernels.types import Array

_NARROW_SHIFT_MAX = 31
_NARROW_BIAS_MAX = 1 << 29


@kernel("bpu.add")
def add(
    x: Array,
    y: Array,
    *,
    multipliers: Sequence[int],
    shift: int,
    bias: int = 0,
    output_zero_point: int = 0,
    clip: tuple[int, int] | None = None,
    dtype: npt.DTypeLike = np.int8,
) -> Array:
    """clip(sat(((x * mx + y * my + bias + 2^(shift-1)) >> shift) + zo)); subtraction: my < 0.

    An si8 operand beside an si16 one is taken 2^7 times.
    """
    # |x * mx + y * my| < 2 * 2^7 * 2^15 = 2^23; with 2^29 + 2^30 it stays inside int32.
    narrow = (
        x.dtype == y.dtype == np.int8
        and shift <= _NARROW_SHIFT_MAX
        and abs(bias) <= _NARROW_BIAS_MAX
    )
    wide = np.int32 if narrow else np.int64
    widening = add_widening(x.dtype.itemsize, y.dtype.itemsize)
    value = np.multiply(x, wide(multipliers[0] << widening[0]), dtype=wide) + np.multiply(
        y, wide(multipliers[1] << widening[1]), dtype=wide
    )
    value += wide(bias + (1 << (shift - 1)))
    value >>= wide(shift)
    return saturate(value, output_zero_point, clip, dtype)


@kernel("bpu.mul")
def mul(
    x: Array,
    y: Array,
    *,
    multiplier: int,
    shift: int,
    zero_points: Sequence[int] = (0, 0),
    output_zero_point: int = 0,
    clip: tuple[int, int] | None = None,
    dtype: npt.DTypeLike = np.int8,
) -> Array:
    """clip(sat(requantize((x - zx) * (y - zy), m, s) + zo))."""
    lhs = np.subtract(x, np.int32(zero_points[0]), dtype=np.int32)
    rhs = np.subtract(y, np.int32(zero_points[1]), dtype=np.int32)
    product = np.multiply(lhs, rhs, dtype=np.int64)
    return saturate(requantize(product, multiplier, shift), output_zero_point, clip, dtype)


@kernel("bpu.max")
def maximum(x: Array, y: Array) -> Array:
    """The larger of x and y, which share scale and zero point with the result."""
    return np.maximum(x, y)


@kernel("bpu.min")
def minimum(x: Array, y: Array) -> Array:
    """The smaller of x and y, which share scale and zero point with the result."""
    return np.minimum(x, y)


@kernel("bpu.prelu")
def prelu(
    x: Array,
    slope: Array,
    *,
    multiplier: int,
    shift: int,
    input_zero_point: int = 0,
    output_zero_point: int = 0,
    dtype: npt.DTypeLike = np.int8,
) -> Array:
    """v = x - zx; sat(((v * (m if v >= 0 else slope[c]) + 2^(s-1)) >> s) + zo).

    slope: si32 over the last axis (or one for all), on the same shift as m.
    """
    value = x.astype(np.int64)
    value -= input_zero_point
    value *= np.where(value >= 0, np.int64(multiplier), slope.astype(np.int64))
    return saturate(round_shift(value, shift), output_zero_point, None, dtype)

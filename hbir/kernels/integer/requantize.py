"""Requantization: the one rounding that every integer op ends with, and `bpu.rescale`.

requantize(v, m, s) = (v * m + 2^(s-1)) >> s with an arithmetic shift: multiply by m * 2^-s and
round to nearest, ties towards plus infinity. It is TOSA's RESCALE with a 16-bit multiplier
(apply_scale_16), and is held to TOSA's reference model in tests.
Ranges: m == 0 or 2^14 <= |m| < 2^15; 2 <= s <= 62; |v| < 2^47, so |v * m| + 2^61 < 2^63.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hbir.kernels.float16.rounding import to_float16
from hbir.kernels.integer.lut import lut
from hbir.kernels.table import kernel
from hbir.kernels.types import Array, IntArray

Int64Array = npt.NDArray[np.int64]


def requantize(value: Array, multiplier: npt.ArrayLike, shift: npt.ArrayLike) -> Int64Array:
    """(value * multiplier + 2^(shift - 1)) >> shift in int64; the pair broadcasts to value."""
    result = value.astype(np.int64)
    result *= np.asarray(multiplier, np.int64)
    return round_shift(result, shift)


def round_shift(value: Int64Array, shift: npt.ArrayLike) -> Int64Array:
    """(value + 2^(shift - 1)) >> shift, overwriting value; shifts are at least 1."""
    shifts = np.asarray(shift, np.int64)
    value += np.int64(1) << (shifts - 1)
    value >>= shifts
    return value


def scale_residual(value: Array, multiplier: npt.ArrayLike, shift: npt.ArrayLike) -> Int64Array:
    """`requantize` whose shift may be 0 or negative: then value * multiplier << -shift, exact."""
    shifts = np.asarray(shift, np.int64)
    product = value.astype(np.int64) * np.asarray(multiplier, np.int64)
    right = np.maximum(shifts, 0)
    half = np.where(right > 0, np.int64(1) << np.maximum(right - 1, 0), 0)
    product += half
    product >>= right
    product <<= np.maximum(-shifts, 0)
    return product


def saturate(
    value: IntArray,
    zero_point: int,
    clip: tuple[int, int] | None,
    dtype: npt.DTypeLike,
) -> Array:
    """clip(saturate(value + zero_point)) as `dtype`, overwriting value.

    value: int64, or int32 below 2^31 - 2^15. Saturation looks at the full sum; `clip` bounds are in
    the result's integers.
    """
    info = np.iinfo(np.dtype(dtype).name)
    low, high = int(info.min), int(info.max)
    if clip is not None:
        low, high = max(low, int(clip[0])), min(high, int(clip[1]))
    value = np.asarray(value)  # NumPy gives scalars for results without dimensions
    if zero_point:
        value += zero_point
    np.clip(value, low, high, out=value)
    return value.astype(dtype)


def finish(
    product: Int64Array,
    shift: npt.ArrayLike,
    zero_point: int,
    clip: tuple[int, int] | None,
    dtype: npt.DTypeLike,
    added: Array | None = None,
) -> Array:
    """What ends a multiplication by (m, shift): product = v * m, which may be overwritten.

    Integers: clip(saturate(((product + 2^(shift - 1)) >> shift) + zero_point)).
    float16: clip(float16(product * 2^-shift + added)), in float64 until then; `added`: float16.
    """
    if np.dtype(dtype) != np.float16:
        return saturate(round_shift(product, shift), zero_point, clip, dtype)
    value = product.astype(np.float64) * np.ldexp(1.0, -np.asarray(shift, np.int64))
    if added is not None:
        value = value + added
    if clip is not None:
        value = np.clip(value, clip[0], clip[1])
    return to_float16(value)


@kernel("bpu.rescale")
def rescale(
    x: Array,
    *,
    multiplier: int,
    shift: int,
    input_zero_point: int = 0,
    output_zero_point: int = 0,
    clip: tuple[int, int] | None = None,
    dtype: npt.DTypeLike = np.int8,
) -> Array:
    """clip(sat(requantize(x - zx, m, s) + zo)); x si8, si16 or si32 of any shape."""
    if x.dtype == np.int8 and x.size > 256:
        # The 256 possible results, looked up; equal by construction.
        codes: npt.NDArray[Any] = np.arange(-128, 128, dtype=np.int8)
        entries = rescale(
            codes,
            multiplier=multiplier,
            shift=shift,
            input_zero_point=input_zero_point,
            output_zero_point=output_zero_point,
            clip=clip,
            dtype=dtype,
        )
        return lut(x, entries)
    value = x.astype(np.int64)
    if input_zero_point:
        value -= input_zero_point
    value *= multiplier
    return saturate(round_shift(value, shift), output_zero_point, clip, dtype)

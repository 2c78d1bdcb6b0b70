"""`bpu.softmax`: exponentials from a table, an exact sum, one reciprocal, one rounding.

The sum is wider than 32 bits (22 fraction bits per exponential, up to 2^17 of them), like the
machine's other wide accumulators: with an int32 sum, 20,000 classes would leave 16 fraction bits,
and a tail of exponentials that each round to 0 could hold a tenth of the probability.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hbir.kernels.integer.requantize import requantize, saturate, scale_residual
from hbir.kernels.norm_parameters import (
    SOFTMAX_EXPONENT_BITS,
    SOFTMAX_INDEX_BITS,
    SOFTMAX_MANTISSA_BITS,
    SOFTMAX_RECIPROCAL_BITS,
)
from hbir.kernels.table import kernel
from hbir.kernels.types import Array


@kernel("bpu.softmax")
def softmax(
    x: Array,
    exp_table: Array,
    reciprocal_table: Array,
    *,
    dim: int,
    multiplier: int,
    shift: int,
    output_zero_point: int = 0,
    exp_multiplier: int = 0,
    exp_shift: int = 0,
    dtype: npt.DTypeLike = np.int8,
) -> Array:
    """sat(requantize(e * r, m, 29 + n + s) + zo) over axis `dim` of x si8 or si16.

    S = sum e; n = bit_length(S) - 15; r = reciprocal of (S >> n, rounded). si8: e = exp_table[d]
    with d = max - x; si16: e = 2^-u from a table of the fraction of u, 513 entries, where
    u = d * exp_multiplier * 2^-exp_shift with 16 fraction bits.
    """
    distance = x.max(axis=dim, keepdims=True).astype(np.int32) - x
    if x.dtype == np.int8:
        exponential = exp_table[distance]
    else:
        exponential = exponential_of(distance, exp_table, exp_multiplier, exp_shift)
    total = exponential.sum(axis=dim, dtype=np.int64, keepdims=True)
    inverse, exponent = reciprocal(total, reciprocal_table)
    product = np.multiply(exponential, inverse, dtype=np.int64)
    total_shift = SOFTMAX_RECIPROCAL_BITS + exponent + shift
    return saturate(requantize(product, multiplier, total_shift), output_zero_point, None, dtype)


def exponential_of(
    distance: Array, table: Array, multiplier: int, shift: int
) -> npt.NDArray[np.int32]:
    """2^22 * 2^-u for u = distance * multiplier * 2^-shift, 16 fraction bits; 0 from u = 24 on.

    The table has 2^22 * 2^-(i / 512) for i in 0..512, between which it is interpolated.
    """
    power = scale_residual(distance, multiplier, shift)
    whole = np.minimum(power >> SOFTMAX_EXPONENT_BITS, 31)
    fraction_bits = SOFTMAX_EXPONENT_BITS - SOFTMAX_INDEX_BITS
    index = (power >> fraction_bits) & ((1 << SOFTMAX_INDEX_BITS) - 1)
    fraction = power & ((1 << fraction_bits) - 1)
    knots = table.astype(np.int64)
    here = knots[index]
    half = 1 << (fraction_bits - 1)
    value = here - (((here - knots[index + 1]) * fraction + half) >> fraction_bits)
    value += np.where(whole > 0, np.int64(1) << np.maximum(whole - 1, 0), 0)
    value >>= whole
    return value.astype(np.int32)


def reciprocal(value: Array, table: Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(r, n) with 1 / value ~ r * 2^-(29 + n), for int64 2^15 <= value < 2^48.

    value is rounded to a mantissa M of 15 bits, M * 2^n; r interpolates linearly between the
    table's 513 values of 2^29 / M, rounding once. M may come out as 2^15, the table's last knot.
    """
    # frexp's exponent is the bit length: float64 holds such values exactly.
    exponent = np.frexp(value.astype(np.float64))[1].astype(np.int64) - SOFTMAX_MANTISSA_BITS
    mantissa = (value + (np.int64(1) << (exponent - 1))) >> exponent
    offset = mantissa - (1 << (SOFTMAX_MANTISSA_BITS - 1))
    fraction_bits = SOFTMAX_MANTISSA_BITS - 1 - SOFTMAX_INDEX_BITS
    index = offset >> fraction_bits
    fraction = offset & ((1 << fraction_bits) - 1)
    knots = table.astype(np.int64)
    here = knots[index]
    following = knots[np.minimum(index + 1, len(knots) - 1)]
    half = 1 << (fraction_bits - 1)
    return here - (((here - following) * fraction + half) >> fraction_bits), exponent

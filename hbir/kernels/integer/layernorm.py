"""`bpu.layernorm`: exact sums of elements and squares, one inverse root, one last rounding.

With N elements in a row, D = N * x - sum(x) and V = N * sum(x^2) - sum(x)^2 are integers, and
D / sqrt(V) is the normalised element whatever the scale and zero point of x. The inverse root
comes from a table at the mantissa of V, normalised by its leading zeros to an even exponent.
A root-mean-square norm is the same with sum(x) left out, of x - zx.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hbir.kernels.integer.requantize import round_shift, saturate, scale_residual
from hbir.kernels.norm_parameters import (
    LAYERNORM_BIAS_BITS,
    LAYERNORM_FRACTION_BITS,
    RSQRT_INDEX_SHIFT,
    RSQRT_MANTISSA_BITS,
    RSQRT_RESULT_BITS,
)
from hbir.kernels.table import kernel
from hbir.kernels.types import Array

Int64Array = npt.NDArray[np.int64]


@kernel("bpu.layernorm")
def layernorm(
    x: Array,
    affine: Array,
    rsqrt_table: Array,
    *,
    shift: int,
    epsilon: int = 0,
    center: bool = True,
    input_zero_point: int = 0,
    output_zero_point: int = 0,
    dtype: npt.DTypeLike = np.int8,
) -> Array:
    """sat(((t * m[c] + (b[c] << (shift - 8)) + 2^(shift-1)) >> shift) + zo) over the last axis.

    x (..., C) si8 or si16; affine si32 (C, 2), columns m and b; t = D / sqrt(V + epsilon) with 20
    fraction bits. center False: a root-mean-square norm, for which input_zero_point matters.
    """
    normal = normalize(
        x, rsqrt_table, epsilon=epsilon, center=center, input_zero_point=input_zero_point
    )
    multiplier, bias = affine.astype(np.int64).T
    normal *= multiplier
    normal += bias << (shift - LAYERNORM_BIAS_BITS)
    return saturate(round_shift(normal, shift), output_zero_point, None, dtype)


def normalize(
    x: Array, rsqrt_table: Array, *, epsilon: int, center: bool, input_zero_point: int
) -> Int64Array:
    """t = D / sqrt(V + epsilon), 20 fraction bits, for every element of x."""
    count = x.shape[-1]
    wide = x.astype(np.int64)
    if not center and input_zero_point:
        wide -= input_zero_point
    squares = np.square(wide).sum(axis=-1, keepdims=True)
    variance = count * squares
    wide *= count
    if center:
        total = x.sum(axis=-1, dtype=np.int64, keepdims=True)
        variance -= np.square(total)
        wide -= total
    inverse, exponent = inverse_root(np.maximum(variance + epsilon, 1), rsqrt_table)
    return scale_residual(wide, inverse, exponent + (RSQRT_RESULT_BITS - LAYERNORM_FRACTION_BITS))


def inverse_root(value: Array, table: Array) -> tuple[Int64Array, Int64Array]:
    """(r, k) with 1 / sqrt(value) ~ r * 2^-(23 + k), for int64 1 <= value <= 2^62 + 2^61.

    value is brought to a mantissa M of 15 or 16 bits, rounded, such that value ~ M * 4^k; r
    interpolates linearly between the table's 769 values of 2^23 / sqrt(M), rounding once.
    """
    exponent = (bit_length(value) - RSQRT_MANTISSA_BITS + 1) >> 1
    right = np.maximum(2 * exponent, 0)
    half = np.where(right > 0, np.int64(1) << np.maximum(right - 1, 0), 0)
    mantissa = ((value + half) >> right) << np.maximum(-2 * exponent, 0)
    offset = mantissa - (1 << (RSQRT_MANTISSA_BITS - 2))
    index = offset >> RSQRT_INDEX_SHIFT
    fraction = offset & ((1 << RSQRT_INDEX_SHIFT) - 1)
    knots = table.astype(np.int64)
    here = knots[index]
    following = knots[np.minimum(index + 1, len(knots) - 1)]
    rounding = 1 << (RSQRT_INDEX_SHIFT - 1)
    return here - (((here - following) * fraction + rounding) >> RSQRT_INDEX_SHIFT), exponent


def bit_length(value: Array) -> Int64Array:
    """Bits of each int64 >= 0, exactly: float64 alone would round 2^60 - 1 up."""
    high = value >> 32
    top = np.where(high > 0, high, value)
    bits = np.frexp(top.astype(np.float64))[1].astype(np.int64)
    return bits + np.where(high > 0, 32, 0)

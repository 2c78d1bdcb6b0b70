"""`bpu.matmul`: the product of two activations, batch by batch.

The right side comes transposed, as (..., N, K): the machine reads it where a convolution reads its
weights, output channel by output channel. Only the left side may have a zero point: the share of it
in a sum is zl * sum of a row of the right side, which is one more row of the left side's matrix.
Products run on float BLAS where that is exact, as for convolutions (see `conv`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hbir.kernels.integer.conv import exact_float
from hbir.kernels.integer.requantize import finish
from hbir.kernels.table import kernel
from hbir.kernels.types import Array


@kernel("bpu.matmul")
def matmul(
    lhs: Array,
    rhs: Array,
    *,
    multiplier: int,
    shift: int,
    lhs_zero_point: int = 0,
    output_zero_point: int = 0,
    clip: tuple[int, int] | None = None,
    dtype: npt.DTypeLike = np.int8,
) -> Array:
    """clip(sat(requantize(sum over k of (lhs - zl)[..., m, k] * rhs[..., n, k], m, s) + zo)).

    lhs (..., M, K), rhs (..., N, K), si8 or si16; leading dimensions broadcast.
    """
    total = matmul_accumulate(lhs, rhs)
    if lhs_zero_point:
        total -= lhs_zero_point * rhs.sum(axis=-1, dtype=total.dtype)[..., None, :]
    product = np.multiply(total, multiplier, dtype=np.int64)
    return finish(product, shift, output_zero_point, clip, dtype)


def matmul_accumulate(lhs: Array, rhs: Array) -> Array:
    """Sums of products (..., M, N): int32 for int8 by int8, int64 when either is wider."""
    accumulator = np.int32 if lhs.dtype == rhs.dtype == np.int8 else np.int64
    float_type, chunk = exact_float(lhs.dtype, rhs.dtype)
    left, right = lhs.astype(float_type), rhs.astype(float_type).swapaxes(-1, -2)
    total = np.matmul(left[..., :chunk], right[..., :chunk, :]).astype(accumulator)
    for start in range(chunk, lhs.shape[-1], chunk):
        part = np.matmul(left[..., start : start + chunk], right[..., start : start + chunk, :])
        total += part.astype(accumulator)
    return total

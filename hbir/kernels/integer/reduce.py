"""`bpu.reduce_mean`: an exact sum, then one rounding."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import numpy.typing as npt

from hbir.kernels.integer.requantize import requantize, saturate
from hbir.kernels.table import kernel
from hbir.kernels.types import Array


@kernel("bpu.reduce_mean")
def reduce_mean(
    x: Array,
    *,
    dims: Sequence[int],
    multiplier: int,
    shift: int,
    keep_dim: bool = False,
    input_zero_point: int = 0,
    output_zero_point: int = 0,
    dtype: npt.DTypeLike = np.int8,
) -> Array:
    """sat(requantize(sum of (x - zx) over dims, m, s) + zo); m * 2^-s holds the division."""
    axes = tuple(dim % x.ndim for dim in dims)
    count = prod(x.shape[axis] for axis in axes)
    # int32 holds 2^24 int8 terms of magnitude 2^7.
    accumulator = np.int32 if x.dtype == np.int8 and count < 1 << 24 else np.int64
    total = x.sum(axis=axes, dtype=accumulator, keepdims=keep_dim).astype(np.int64)
    total -= count * input_zero_point
    return saturate(requantize(total, multiplier, shift), output_zero_point, None, dtype)

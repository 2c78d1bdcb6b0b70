"""Reductions over whole axes: an exact sum and then one rounding; the largest, the smallest."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import numpy.typing as npt

from hbir.kernels.integer.requantize import requantize, saturate
from hbir.kernels.table import kernel
from hbir.kernels.types import Array


@kernel("bpu.reduce_mean")
@kernel("bpu.reduce_sum")
def reduce_sum(
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
    """sat(requantize(sum of (x - zx) over dims, m, s) + zo); a mean's pair holds the division."""
    axes = tuple(dim % x.ndim for dim in dims)
    count = prod(x.shape[axis] for axis in axes)
    # int32 holds 2^24 int8 terms of magnitude 2^7.
    accumulator = np.int32 if x.dtype == np.int8 and count < 1 << 24 else np.int64
    total = x.sum(axis=axes, dtype=accumulator, keepdims=keep_dim).astype(np.int64)
    total -= count * input_zero_point
    return saturate(requantize(total, multiplier, shift), output_zero_point, None, dtype)


@kernel("bpu.reduce_max")
def reduce_max(x: Array, *, dims: Sequence[int], keep_dim: bool = False) -> Array:
    """The largest integer over dims."""
    return np.asarray(x.max(axis=tuple(dims), keepdims=keep_dim))


@kernel("bpu.reduce_min")
def reduce_min(x: Array, *, dims: Sequence[int], keep_dim: bool = False) -> Array:
    """The smallest integer over dims."""
    return np.asarray(x.min(axis=tuple(dims), keepdims=keep_dim))

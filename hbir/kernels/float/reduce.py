"""Reductions over whole axes, and running sums."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hbir.kernels.table import kernel
from hbir.kernels.types import FloatArray


@kernel("hbir.reduce_mean")
def reduce_mean(x: FloatArray, *, dims: Sequence[int], keep_dim: bool = True) -> FloatArray:
    """The mean over the axes `dims`, summed in float64: NumPy's float32 sums over outer axes are
    plain running sums, whose error grows with the number of elements."""
    mean = np.mean(x, axis=tuple(dims), keepdims=keep_dim, dtype=np.float64)
    return np.asarray(mean, np.float32)


@kernel("hbir.reduce_sum")
def reduce_sum(x: FloatArray, *, dims: Sequence[int], keep_dim: bool = True) -> FloatArray:
    """The sum over the axes `dims`, in float64 as for the mean."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.sum(x, axis=tuple(dims), keepdims=keep_dim, dtype=np.float64)
        return np.asarray(total, np.float32)


@kernel("hbir.reduce_max")
def reduce_max(x: FloatArray, *, dims: Sequence[int], keep_dim: bool = True) -> FloatArray:
    """The largest element over the axes `dims`; nan if one is."""
    return np.asarray(np.max(x, axis=tuple(dims), keepdims=keep_dim))


@kernel("hbir.reduce_min")
def reduce_min(x: FloatArray, *, dims: Sequence[int], keep_dim: bool = True) -> FloatArray:
    """The smallest element over the axes `dims`; nan if one is."""
    return np.asarray(np.min(x, axis=tuple(dims), keepdims=keep_dim))


@kernel("hbir.cumsum")
def cumsum(
    x: FloatArray, *, axis: int, exclusive: bool = False, reverse: bool = False
) -> FloatArray:
    """The sum of all elements up to each along `axis`, in float64.

    `exclusive` leaves out the element itself; `reverse` sums from the end.
    """
    values = np.flip(x, axis) if reverse else x
    sums = np.cumsum(values, axis=axis, dtype=np.float64)
    if exclusive:
        sums = sums - values
    result = np.flip(sums, axis) if reverse else sums
    return np.ascontiguousarray(result, np.float32)

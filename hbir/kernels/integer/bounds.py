"""How large accumulators can get: proofs from the actual weights, for any input.

The bounds are sums of magnitudes, so they hold for every partial sum in every order: a K split, a
tile and a BLAS that adds in an order of its own never leave them either.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hbir.kernels.integer.requantize import scale_residual
from hbir.kernels.types import Array

ACCUMULATOR_LIMIT = {1: 1 << 31, 2: 1 << 47}
"""Bytes of the wider of x's and w's elements → exclusive bound of the accumulator's magnitude: 32
or 48 bits."""

RAW_LIMIT = 1 << 31
"""The same where the accumulator is the result, which has 32 bits whatever x and w have."""


def accumulator_bound(
    w: Array,
    qpp: Array,
    *,
    x_dtype: npt.DTypeLike = np.int8,
    residual_dtype: npt.DTypeLike | None = None,
) -> npt.NDArray[np.int64]:
    """Per output channel: max|x| * sum|w| + |bias| + max|R| of bpu.conv2d.

    w: (Cout, ...) integers; qpp: (Cout, 3), or (Cout, 5) with a residual.
    """
    magnitudes = np.abs(w.reshape(w.shape[0], -1).astype(np.int32)).sum(axis=1, dtype=np.int64)
    columns = qpp.astype(np.int64).T
    bound = magnitudes * _largest(x_dtype) + np.abs(columns[0])
    if residual_dtype is not None:
        smallest = np.array(-_largest(residual_dtype))
        bound = bound + np.abs(scale_residual(smallest, columns[3], columns[4]))
    return bound


def sum_bound(count: int, x_dtype: npt.DTypeLike, zero_point: int) -> int:
    """Bound of |sum of (x - zero_point)| over `count` elements, as pools and means take it."""
    return count * (_largest(x_dtype) + abs(zero_point))


def matmul_bound(
    terms: int, lhs_dtype: npt.DTypeLike, rhs_dtype: npt.DTypeLike, lhs_zero_point: int
) -> int:
    """Bound of |sum of (lhs - zero point) * rhs| over `terms` products of any activations."""
    return terms * (_largest(lhs_dtype) + abs(lhs_zero_point)) * _largest(rhs_dtype)


def _largest(dtype: npt.DTypeLike) -> int:
    return 1 << (8 * np.dtype(dtype).itemsize - 1)

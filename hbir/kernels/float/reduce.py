"""Reductions over whole axes."""

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

"""Where the greatest and the least elements are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hbir.kernels.table import kernel
from hbir.kernels.types import Array


@kernel("hbir.reduce_argmax")
def reduce_argmax(x: Array, *, dims: Sequence[int], keep_dim: bool = True) -> Array:
    """The index (int64) of the first greatest element along the one axis in `dims`."""
    return np.argmax(x, axis=dims[0], keepdims=keep_dim)


@kernel("hbir.reduce_argmin")
def reduce_argmin(x: Array, *, dims: Sequence[int], keep_dim: bool = True) -> Array:
    """The index (int64) of the first least element along the one axis in `dims`."""
    return np.argmin(x, axis=dims[0], keepdims=keep_dim)

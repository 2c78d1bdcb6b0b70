"""Sums and means of float16 over whole axes, by a fixed tree in float32."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from hbir.kernels.float16.rounding import to_float16, tree_sum
from hbir.kernels.table import kernel
from hbir.kernels.types import Array


@kernel("bpu.float_reduce_sum")
def float_reduce_sum(x: Array, *, dims: Sequence[int], keep_dim: bool = False) -> Array:
    """float16(tree sum over dims)."""
    return to_float16(tree_sum(x, dims, keep_dims=keep_dim))


@kernel("bpu.float_reduce_mean")
def float_reduce_mean(x: Array, *, dims: Sequence[int], keep_dim: bool = False) -> Array:
    """float16(tree sum over dims / number of elements)."""
    count = prod(x.shape[dim] for dim in dims)
    return to_float16(tree_sum(x, dims, keep_dims=keep_dim) / np.float32(count))

"""Elements chosen by indices that are data; any dtype.

`hbir.kernels.indices` says how an index is read.
"""

from __future__ import annotations

import math

import numpy as np

from hbir.kernels.indices import resolved
from hbir.kernels.table import kernel
from hbir.kernels.types import Array


@kernel("hbir.index")
def index(x: Array, index: Array, *, dim: int = 0) -> Array:
    """The parts of x at the indices along the axis `dim`, which index's axes take the place of."""
    return x.take(resolved(index, x.shape[dim]), axis=dim)


@kernel("hbir.gather_elements")
def gather_elements(x: Array, index: Array, *, dim: int = 0) -> Array:
    """result[i, j, …] = x[i, index[i, j, …], …], the index standing at the axis `dim`.

    index has x's rank; its other extents may be smaller than x's.
    """
    axis = dim % x.ndim
    within = tuple(
        slice(None) if other == axis else slice(0, size) for other, size in enumerate(index.shape)
    )
    return np.take_along_axis(x[within], resolved(index, x.shape[axis]), axis=axis)


@kernel("hbir.gather_nd")
def gather_nd(x: Array, index: Array, *, batch_dim: int = 0) -> Array:
    """x: (B…, D₁ … Dₖ, rest…), index: (B…, places…, k) → (B…, places…, rest…)."""
    batch, width = x.shape[:batch_dim], index.shape[-1]
    rows = math.prod(batch)
    flat = x.reshape(rows, math.prod(x.shape[batch_dim : batch_dim + width]), -1)
    places = flat_positions(index, x.shape[batch_dim : batch_dim + width]).reshape(rows, -1)
    chosen = flat[np.arange(rows)[:, None], places]
    return chosen.reshape((*index.shape[:-1], *x.shape[batch_dim + width :]))


def flat_positions(index: Array, extents: tuple[int, ...]) -> Array:
    """Row-major positions in a block of `extents` from its indices, the last axis of `index`."""
    position = np.zeros(index.shape[:-1], np.intp)
    for column, extent in enumerate(extents):
        position = position * extent + resolved(index[..., column], extent)
    return position

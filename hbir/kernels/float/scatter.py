"""Elements put in places that indices say; any dtype."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from hbir.kernels.float.index import flat_positions
from hbir.kernels.indices import resolved
from hbir.kernels.table import kernel
from hbir.kernels.types import Array

_COMBINE: dict[str, Callable[..., Any]] = {
    "none": np.ndarray.__setitem__,
    "add": np.add.at,
    "mul": np.multiply.at,
    "max": np.maximum.at,
    "min": np.minimum.at,
}

REDUCE_MODES = tuple(_COMBINE)


def _put(target: Array, places: tuple[Array, ...], updates: Array, mode: str) -> None:
    """Put updates in their places, in their row-major order: with "none", the last one stays."""
    _COMBINE[mode](target, places, updates)


@kernel("hbir.scatter_elements")
def scatter_elements(
    x: Array, index: Array, updates: Array, *, dim: int = 0, scatter_reduce_mode: str = "none"
) -> Array:
    """x with x[i, index[i, j, …], …] = updates[i, j, …], the index standing at the axis `dim`."""
    axis = dim % x.ndim
    places: list[Array] = list(np.ogrid[tuple(map(slice, index.shape))])
    places[axis] = resolved(index, x.shape[axis])
    result = x.copy()
    _put(result, tuple(np.broadcast_arrays(*places)), updates, scatter_reduce_mode)
    return result


@kernel("hbir.scatter_nd")
def scatter_nd(
    x: Array, index: Array, updates: Array, *, scatter_reduce_mode: str = "none"
) -> Array:
    """x: (D₁ … Dₖ, rest…) with x[index[places…]] = updates[places…], index: (places…, k)."""
    width = index.shape[-1]
    result = x.copy()
    flat = result.reshape(math.prod(x.shape[:width]), *x.shape[width:])
    places = flat_positions(index, x.shape[:width]).reshape(-1)
    _put(flat, (places,), updates.reshape(-1, *x.shape[width:]), scatter_reduce_mode)
    return result

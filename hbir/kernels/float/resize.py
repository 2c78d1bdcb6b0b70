"""Resizing of H and W by sampling."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from hbir.kernels.table import kernel
from hbir.kernels.types import Array, FloatArray

Positions = npt.NDArray[np.float64]

_NEAREST: dict[str, Callable[[Positions], Positions]] = {
    "floor": np.floor,
    "ceil": np.ceil,
    "round_prefer_floor": lambda position: np.ceil(position - 0.5),
    "round_prefer_ceil": lambda position: np.floor(position + 0.5),
}

MODES = ("nearest", "bilinear")
NEAREST_MODES = tuple(_NEAREST)


def source_positions(size: int, out_size: int, step: float, offset: float) -> Positions:
    """Where each result position lies in a source axis of `size` elements: clamped to 0…size−1."""
    positions = np.arange(out_size, dtype=np.float64) * step + offset
    return np.clip(positions, 0.0, size - 1.0)


def nearest_elements(positions: Positions, nearest_mode: str) -> npt.NDArray[np.intp]:
    """The element that each position takes, rounded as `nearest_mode` says."""
    return _NEAREST[nearest_mode](positions).astype(np.intp)


@kernel("hbir.resize2d")
def resize2d(
    x: FloatArray,
    *,
    size: Sequence[int],
    step: Sequence[float],
    initial_offset: Sequence[float] = (0.0, 0.0),
    mode: str = "nearest",
    nearest_mode: str = "round_prefer_floor",
) -> Array:
    """x: (N, H, W, C) → (N, size[0], size[1], C)."""
    for axis in (0, 1):
        positions = source_positions(
            x.shape[axis + 1], size[axis], step[axis], initial_offset[axis]
        )
        if mode == "nearest":
            x = x.take(nearest_elements(positions, nearest_mode), axis=axis + 1)
        else:
            x = _interpolate(x, positions, axis + 1)
    return x


def _interpolate(x: FloatArray, positions: Positions, axis: int) -> FloatArray:
    """Linear interpolation along one axis."""
    below = np.floor(positions).astype(np.intp)
    above = np.minimum(below + 1, x.shape[axis] - 1)
    shape = [1] * x.ndim
    shape[axis] = len(positions)
    fraction = (positions - below).astype(np.float32).reshape(shape)
    first = x.take(below, axis=axis)
    result = x.take(above, axis=axis)
    result -= first
    result *= fraction
    result += first
    return result

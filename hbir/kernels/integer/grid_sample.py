"""`bpu.grid_sample`: an image sampled at positions that are integers times a fixed-point step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hbir.kernels.integer.resize import sum_type, weighted
from hbir.kernels.parameters import RESIZE_FRACTION_BITS, RESIZE_WEIGHT_BITS
from hbir.kernels.table import kernel
from hbir.kernels.types import Array

Int64Array = npt.NDArray[np.int64]


@kernel("bpu.grid_sample")
def grid_sample(
    x: Array,
    grid: Array,
    *,
    step: Sequence[int],
    initial_offset: Sequence[int],
    mode: str = "bilinear",
    expansion_mode: str = "constant",
    pad_value: int = 0,
    fraction_bits: int = RESIZE_FRACTION_BITS,
) -> Array:
    """x (N, H, W, C) at the (column, row) of grid (N, OH, OW, 2); scale and zero point stay.

    bilinear: (sum of four neighbours * wy * wx + 2^21) >> 22 with 11-bit weights that sum to 2^22.
    Positions depend on the grid's integers alone, so a tile of the grid has the bits of that part.
    """
    rows, columns = (
        _positions(
            grid[..., 1 - axis],
            x.shape[axis + 1],
            step[axis],
            initial_offset[axis],
            fraction_bits,
            border=expansion_mode == "border",
        )
        for axis in range(2)
    )
    if mode == "nearest":
        half = 1 << (fraction_bits - 1)
        row, column = (rows + half) >> fraction_bits, (columns + half) >> fraction_bits
        return _elements(x, row, column, pad_value)
    accumulator = sum_type(x)
    top, wy = _first_and_weight(rows, fraction_bits)
    left, wx = _first_and_weight(columns, fraction_bits)
    one = 1 << RESIZE_WEIGHT_BITS
    total = np.zeros((*grid.shape[:3], x.shape[3]), accumulator)
    for row, row_weight in ((top, one - wy), (top + 1, wy)):
        for column, column_weight in ((left, one - wx), (left + 1, wx)):
            weight = (row_weight * column_weight).astype(accumulator)[..., None]
            total += _elements(x, row, column, pad_value) * weight
    return weighted(total, x.dtype)


def _positions(
    coordinates: Array, extent: int, step: int, offset: int, fraction_bits: int, *, border: bool
) -> Int64Array:
    """Fixed-point positions, limited to the image, or to one element around it."""
    position = coordinates.astype(np.int64) * step + offset
    low, high = (0, extent - 1) if border else (-1, extent)
    return np.clip(position, low << fraction_bits, high << fraction_bits)


def _first_and_weight(position: Int64Array, fraction_bits: int) -> tuple[Int64Array, Int64Array]:
    """The element at or before a position, and the 11-bit weight of the next one."""
    kept = fraction_bits - RESIZE_WEIGHT_BITS
    rounded = (position + (1 << (kept - 1))) >> kept
    return rounded >> RESIZE_WEIGHT_BITS, rounded & ((1 << RESIZE_WEIGHT_BITS) - 1)


def _elements(x: Array, rows: Int64Array, columns: Int64Array, pad_value: int) -> Array:
    """x at whole positions, (N, OH, OW) each; `pad_value` outside."""
    height, width = int(x.shape[1]), int(x.shape[2])
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    batch = np.arange(int(x.shape[0]))[:, None, None]
    taken = x[batch, np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
    return np.where(inside[..., None], taken, x.dtype.type(pad_value))

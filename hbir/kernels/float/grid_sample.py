"""Sampling of an image at positions that are data."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hbir.kernels.table import kernel
from hbir.kernels.types import Array, FloatArray

MODES = ("bilinear", "nearest")
EXPANSION_MODES = ("constant", "border")


def pixel_positions(grid: Array, extent: int, *, align_corner: bool) -> npt.NDArray[np.float64]:
    """Positions among `extent` elements (0 is the first) of coordinates −1 … 1.

    With `align_corner`, ±1 are the centres of the outermost elements, else their outer edges.
    """
    half = 0.5 * (grid.astype(np.float64) + 1.0)
    position = half * (extent - 1) if align_corner else half * extent - 0.5
    # What lies further out reads the same, and a position must fit an integer.
    return np.clip(np.nan_to_num(position, nan=-2.0), -2.0, extent + 1.0)


@kernel("hbir.grid_sample")
def grid_sample(
    x: FloatArray,
    grid: FloatArray,
    *,
    mode: str = "bilinear",
    expansion_mode: str = "constant",
    align_corner: bool = False,
    pad_value: float = 0.0,
) -> FloatArray:
    """x: (N, H, W, C), grid: (N, OH, OW, 2) of (column, row) → (N, OH, OW, C)."""
    rows = pixel_positions(grid[..., 1], x.shape[1], align_corner=align_corner)
    columns = pixel_positions(grid[..., 0], x.shape[2], align_corner=align_corner)
    if expansion_mode == "border":
        rows, columns = np.clip(rows, 0, x.shape[1] - 1), np.clip(columns, 0, x.shape[2] - 1)
    if mode == "nearest":  # ties to even, as in PyTorch and onnxruntime
        return _elements(x, np.rint(rows), np.rint(columns), pad_value)
    top, left = np.floor(rows), np.floor(columns)
    result = np.zeros((*grid.shape[:3], x.shape[3]), np.float32)
    for row, row_weight in ((top, 1 - (rows - top)), (top + 1, rows - top)):
        for column, weight in ((left, 1 - (columns - left)), (left + 1, columns - left)):
            share = (row_weight * weight).astype(np.float32)[..., None]
            result += _elements(x, row, column, pad_value) * share
    return result


def _elements(
    x: FloatArray,
    rows: npt.NDArray[np.float64],
    columns: npt.NDArray[np.float64],
    pad_value: float,
) -> FloatArray:
    """x at whole positions, (N, OH, OW) each; `pad_value` outside."""
    inside = (rows >= 0) & (rows < x.shape[1]) & (columns >= 0) & (columns < x.shape[2])
    batch = np.arange(int(x.shape[0]))[:, None, None]
    row = np.clip(rows, 0, x.shape[1] - 1).astype(np.intp)
    column = np.clip(columns, 0, x.shape[2] - 1).astype(np.intp)
    return np.where(inside[..., None], x[batch, row, column], np.float32(pad_value))

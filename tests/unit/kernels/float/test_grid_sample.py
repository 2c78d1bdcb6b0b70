"""Sampling at data-dependent positions against onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hbir.dialects.hbir.grid_sample import GridSampleOp
from tests.unit.kernels.float.onnx_oracle import (
    assert_close,
    channel_first,
    channel_last,
    evaluate,
    run_onnx,
)

extents = st.integers(1, 6)


@given(
    size=st.tuples(extents, extents),
    out_size=st.tuples(extents, extents),
    padding=st.sampled_from(["zeros", "border"]),
    align=st.booleans(),
    seed=st.integers(0, 99),
)
def test_bilinear(
    size: tuple[int, int], out_size: tuple[int, int], padding: str, align: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    x = random.normal(size=(2, *size, 3)).astype(np.float32)
    grid = random.normal(0, 1.0, size=(2, *out_size, 2)).astype(np.float32)
    attributes: dict[str, Any] = {"padding_mode": padding, "align_corners": int(align)}
    expected = run_onnx("GridSample", [channel_first(x), grid], mode="linear", **attributes)
    params = {
        "expansion_mode": {"zeros": "constant"}.get(padding, padding),
        "align_corner": align,
    }
    assert_close(evaluate(GridSampleOp, [x, grid], params), channel_last(expected), rtol=2e-5)


@given(
    exponents=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    align=st.booleans(),
    border=st.booleans(),
)
def test_nearest_of_a_grid_of_ties(exponents: tuple[int, int], align: bool, border: bool) -> None:
    """Positions are halves of whole numbers, and extents such that the grid has them exactly."""
    size = (2 ** exponents[0] + align, 2 ** exponents[1] + align)
    height, width = size
    x = np.random.default_rng(7).normal(size=(1, *size, 2)).astype(np.float32)
    halves = np.indices((2 * height + 6, 2 * width + 6)).astype(np.float64)
    rows, columns = (halves - 3) / 2
    if align:
        grid = np.stack([2 * columns / (width - 1) - 1, 2 * rows / (height - 1) - 1], axis=-1)
    else:
        grid = np.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], axis=-1)
    grid = grid[None].astype(np.float32)
    params = {
        "mode": "nearest",
        "expansion_mode": "border" if border else "constant",
        "align_corner": align,
    }
    actual = evaluate(GridSampleOp, [x, grid], params)
    row, column = np.rint(rows).astype(int), np.rint(columns).astype(int)
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    expected = x[0, np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
    if not border:
        expected = np.where(inside[..., None], expected, 0)
    np.testing.assert_array_equal(actual[0], expected)

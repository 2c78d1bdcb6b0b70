"""Sampling in integers: against plain Python, against the float op within its bound, by tiles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.errors import HbirError
from hbir.kernels.float.grid_sample import grid_sample as float_grid_sample
from hbir.kernels.sample_parameters import grid_sample_parameters
from hbir.kernels.table import execute

Array = np.ndarray[Any, Any]
MODES = st.sampled_from(["nearest", "bilinear"])
BORDERS = st.sampled_from(["constant", "border"])
DTYPES = st.sampled_from([np.int8, np.int16])


def oracle(x: Array, grid: Array, params: dict[str, Any]) -> Array:
    """docs/arithmetic.md, element by element in Python's integers."""
    _, height, width, channels = x.shape
    result = np.zeros((*grid.shape[:3], channels), x.dtype)

    def element(n: int, row: int, column: int, c: int) -> int:
        inside = 0 <= row < height and 0 <= column < width
        return int(x[n, row, column, c]) if inside else params["pad_value"]

    for n, i, j, c in np.ndindex(*result.shape):
        position: list[int] = []
        for axis, extent in enumerate((height, width)):
            q = int(grid[n, i, j, 1 - axis])
            p = q * params["step"][axis] + params["initial_offset"][axis]
            low, high = (0, extent - 1) if params["expansion_mode"] == "border" else (-1, extent)
            position.append(min(max(p, low << 32), high << 32))
        if params["mode"] == "nearest":
            row, column = ((p + (1 << 31)) >> 32 for p in position)
            result[n, i, j, c] = element(n, row, column, c)
            continue
        (top, wy), (left, wx) = (divmod((p + (1 << 20)) >> 21, 1 << 11) for p in position)
        total = 1 << 21
        for row, row_weight in ((top, (1 << 11) - wy), (top + 1, wy)):
            for column, weight in ((left, (1 << 11) - wx), (left + 1, wx)):
                total += element(n, row, column, c) * row_weight * weight
        result[n, i, j, c] = total >> 22
    return result


def example(
    seed: int, dtype: type[np.signedinteger[Any]], size: tuple[int, int]
) -> tuple[Array, Array]:
    random = np.random.default_rng(seed)
    info = np.iinfo(dtype)
    x = random.integers(info.min, info.max, (2, *size, 3), dtype, endpoint=True)
    if seed % 2:  # worst cases that random data never reaches
        x = random.choice(np.array([info.min, info.max], dtype), x.shape)
    return x, random.integers(-(1 << 15), 1 << 15, (2, 3, 4, 2)).astype(np.int16)


@given(
    seed=st.integers(0, 99),
    dtype=DTYPES,
    size=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    mode=MODES,
    expansion=BORDERS,
    align=st.booleans(),
    scale=st.sampled_from([2.0**-15, 1e-4, 0.5]),
)
def test_against_python(
    seed: int, dtype: Any, size: tuple[int, int], mode: str, expansion: str, align: bool,
    scale: float,
) -> None:  # fmt: skip
    x, grid = example(seed, dtype, size)
    params: dict[str, Any] = {
        "mode": mode,
        "expansion_mode": expansion,
        "pad_value": -7,
        **grid_sample_parameters(scale, 3, size, align_corner=align),
    }
    actual = execute("bpu.grid_sample", [x, grid], params)
    np.testing.assert_array_equal(actual, oracle(x, grid, params))
    part = execute("bpu.grid_sample", [x[..., 1:], grid[:, 1:, :2]], params)
    np.testing.assert_array_equal(part, actual[:, 1:, :2, 1:])


@given(
    seed=st.integers(0, 99),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    expansion=BORDERS,
    align=st.booleans(),
)
def test_the_error_is_within_its_bound(
    seed: int, size: tuple[int, int], expansion: str, align: bool
) -> None:
    """Half a step, and per axis what a position may be off, times the neighbours' difference."""
    x, grid = example(seed, np.int8, size)
    scale, zero_point = 1.3 / (1 << 15), 3
    params = {"expansion_mode": expansion, "pad_value": 0}
    positions = grid_sample_parameters(scale, zero_point, size, align_corner=align)
    actual = execute("bpu.grid_sample", [x, grid], {**params, **positions})
    real = (grid.astype(np.float64) - zero_point) * scale
    exact = float_grid_sample(
        x.astype(np.float32),
        real,  # pyright: ignore[reportArgumentType]  (float64, so that the grid isn't rounded)
        expansion_mode=expansion,
        align_corner=align,
    )
    bound = 0.5 + 2 * (2**-12 + 2**-17) * 255 + 1e-4  # float32 sums
    assert np.abs(actual - exact).max() <= bound


def test_an_absurd_grid_is_refused() -> None:
    with pytest.raises(HbirError, match="a step of its grid is 1e\\+30 elements"):
        grid_sample_parameters(1e29, 0, (20, 20), align_corner=False)

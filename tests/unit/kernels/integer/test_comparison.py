"""bpu.compare and bpu.where against plain Python integers, and against real numbers."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hbir.dialects.bpu.comparison import MODES
from hbir.kernels.comparisons import COMPARISONS
from hbir.kernels.integer.comparison import compare, where
from hbir.kernels.parameters import compare_parameters
from tests.unit.kernels.integer.strategies import MULTIPLIERS, SI8, tensors

OPERATORS = {
    "equal": operator.eq,
    "not_equal": operator.ne,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "less": operator.lt,
    "less_equal": operator.le,
}
DTYPES = st.sampled_from([np.int8, np.int16])


def test_every_mode_has_a_meaning() -> None:
    assert set(MODES) == set(COMPARISONS) == set(OPERATORS)


@given(st.data(), st.sampled_from(MODES), MULTIPLIERS, st.integers(0, 32767), SI8, SI8)
def test_compare_equals_plain_integers(
    data: st.DataObject, mode: str, larger: int, smaller: int, zx: int, zy: int
) -> None:
    x = data.draw(tensors((2, 1, 5), data.draw(DTYPES)))
    y = data.draw(tensors((4, 5), data.draw(DTYPES)))
    pair = data.draw(st.permutations([larger, min(smaller, larger)]))
    values = (-7, 90)
    got = compare(
        x, y, mode=mode, multipliers=pair, zero_points=(zx, zy), values=values, dtype=np.int16
    )
    assert got.dtype == np.int16
    for i, j, k in np.ndindex(2, 4, 5):
        lhs, rhs = (int(x[i, 0, k]) - zx) * pair[0], (int(y[j, k]) - zy) * pair[1]
        assert got[i, j, k] == values[OPERATORS[mode](lhs, rhs)]


@given(
    st.data(),
    st.sampled_from(MODES),
    st.floats(1e-3, 10),
    st.floats(1e-3, 10) | st.none(),
    SI8,
    SI8,
)
def test_numbers_further_apart_than_the_rounding_compare_as_they_do(
    data: st.DataObject, mode: str, lhs_scale: float, rhs_scale: float | None, zx: int, zy: int
) -> None:
    """All of them where the scales are equal; else those 2^-15 of the larger one apart."""
    x, y = data.draw(tensors((20,))), data.draw(tensors((20,)))
    same = rhs_scale is None
    rhs_scale = lhs_scale if rhs_scale is None else rhs_scale
    parameters: dict[str, Any] = compare_parameters(lhs_scale, rhs_scale, 1 / 255, -128)
    assert parameters["values"] == [-128, 127]
    got = compare(x, y, mode=mode, zero_points=(zx, zy), **parameters)
    lhs = (x.astype(np.int64) - zx) * (1.0 if same else lhs_scale)
    rhs = (y.astype(np.int64) - zy) * (1.0 if same else rhs_scale)
    rounding = 0 if same else 2.0**-14 * np.maximum(abs(lhs), abs(rhs))
    sure = same | (abs(lhs - rhs) > rounding)
    np.testing.assert_array_equal(got[sure] == 127, OPERATORS[mode](lhs, rhs)[sure])


@given(st.data(), SI8, DTYPES)
def test_where_picks_by_the_condition(data: st.DataObject, zero_point: int, dtype: Any) -> None:
    condition = data.draw(tensors((3, 1)))
    condition[0] = zero_point
    x, y = data.draw(tensors((3, 4), dtype)), data.draw(tensors((4,), dtype))
    got = where(condition, x, y, condition_zero_point=zero_point)
    assert got.dtype == dtype
    for i, j in np.ndindex(3, 4):
        assert got[i, j] == (y[j] if condition[i, 0] == zero_point else x[i, j])

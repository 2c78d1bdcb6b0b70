"""Indexing, order and argmax of integers: the same elements as of the floats they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbir.kernels.table import execute

INTEGERS = {
    np.int8: st.sampled_from([-128, -1, 0, 1, 127]),
    np.int16: st.sampled_from([-32768, -1, 0, 1, 32767]),
}
"""Few values, the extremes among them: negating the least overflows."""


@pytest.mark.parametrize("dtype", list(INTEGERS))
@given(data=st.data(), largest=st.booleans())
def test_order(dtype: Any, data: st.DataObject, largest: bool) -> None:
    shape = data.draw(hnp.array_shapes(max_dims=3, max_side=8))
    x = data.draw(hnp.arrays(dtype, shape, elements=INTEGERS[dtype]))
    dim = data.draw(st.integers(-x.ndim, x.ndim - 1))
    params = {"k": data.draw(st.integers(1, shape[dim])), "dim": dim, "largest": largest}
    indices = execute("bpu.topk", [x], params)
    expected = execute("hbir.topk", [x.astype(np.float32)], params)
    np.testing.assert_array_equal(indices, expected)
    chosen = execute("bpu.gather_elements", [x, indices], {"dim": dim})
    np.testing.assert_array_equal(chosen, np.take_along_axis(x, expected, dim))


@pytest.mark.parametrize("kind", ["reduce_argmax", "reduce_argmin"])
@pytest.mark.parametrize("dtype", list(INTEGERS))
@given(data=st.data(), keep_dim=st.booleans())
def test_argmax(dtype: Any, kind: str, data: st.DataObject, keep_dim: bool) -> None:
    shape = data.draw(hnp.array_shapes(max_dims=3, max_side=8))
    x = data.draw(hnp.arrays(dtype, shape, elements=INTEGERS[dtype]))
    params = {"dims": (data.draw(st.integers(-x.ndim, x.ndim - 1)),), "keep_dim": keep_dim}
    actual = execute(f"bpu.{kind}", [x], params)
    assert actual.dtype == np.int64
    expected = execute(f"hbir.{kind}", [x.astype(np.float32)], params)
    np.testing.assert_array_equal(actual, expected)

"""Casts: as NumPy where that is defined, saturating where it is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbir.kernels.table import execute
from hbir.kernels.types import Array

INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint32, np.uint64]


def cast(x: Array, dtype: Any) -> Array:
    """The kernel's result."""
    result = execute("hbir.cast_type", [x], {"dtype": np.dtype(dtype)})
    assert result.dtype == np.dtype(dtype)
    assert result.shape == x.shape
    return result


@pytest.mark.parametrize("dtype", INTEGERS)
@given(x=hnp.arrays(np.float32, (5,), elements=st.floats(-(2.0**66), 2.0**66, width=32)))
def test_float_to_integer_truncates_and_saturates(dtype: Any, x: Array) -> None:
    limits = np.iinfo(dtype)
    expected = [min(max(int(value), int(limits.min)), int(limits.max)) for value in x]
    assert cast(x, dtype).tolist() == expected


def test_what_c_leaves_undefined() -> None:
    x = np.array([np.nan, np.inf, -np.inf], np.float32)
    assert cast(x, np.int8).tolist() == [0, 127, -128]


@given(hnp.arrays(np.int32, (5,)))
def test_integers_wrap_and_convert(x: Array) -> None:
    np.testing.assert_array_equal(cast(x, np.int8), x.astype(np.int8))
    np.testing.assert_array_equal(cast(x, np.float32), x.astype(np.float32))
    np.testing.assert_array_equal(cast(x, np.bool_), x != 0)

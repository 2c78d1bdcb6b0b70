"""Reductions against plain Python integers, and against real sums and means."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.kernels.integer.reduce import reduce_sum
from hbir.kernels.parameters import reduce_mean_parameters
from hbir.kernels.table import execute
from tests.unit.kernels.integer import oracle
from tests.unit.kernels.integer.strategies import MULTIPLIERS, SHIFTS, SI8, tensors


@settings(deadline=None)
@given(
    st.data(),
    st.sampled_from([(1, 2), (-1,), (0, 3), (0, 1, 2, 3)]),
    st.booleans(),
    MULTIPLIERS,
    SHIFTS,
    SI8,
    SI8,
)
def test_sums_equal_plain_integers(
    data: st.DataObject,
    dims: tuple[int, ...],
    keep_dim: bool,
    multiplier: int,
    shift: int,
    zero: int,
    out_zero: int,
):
    x = data.draw(tensors((2, 3, 4, 5), data.draw(st.sampled_from([np.int8, np.int16]))))
    got = reduce_sum(
        x,
        dims=dims,
        keep_dim=keep_dim,
        multiplier=multiplier,
        shift=shift,
        input_zero_point=zero,
        output_zero_point=out_zero,
    )
    sums: Any = np.asarray((x.astype(object) - zero).sum(axis=dims, keepdims=keep_dim))
    flat: list[int] = sums.reshape(-1).tolist()
    expected = [
        oracle.saturated(oracle.round_half_up(v * multiplier, shift) + out_zero, np.int8)
        for v in flat
    ]
    assert got.reshape(-1).tolist() == expected
    assert got.shape == sums.shape


@pytest.mark.parametrize("size", [7, 56, 224])
@pytest.mark.parametrize("extreme", [-128, 127])
def test_the_mean_of_a_constant_is_the_constant(size: int, extreme: int):
    x = np.full((1, size, size, 2), extreme, np.int8)
    parameters: dict[str, Any] = reduce_mean_parameters(0.05, 0.05, size * size)
    assert reduce_sum(x, dims=(1, 2), **parameters).tolist() == [[extreme, extreme]]


@given(
    st.data(),
    st.sampled_from([np.int8, np.int16]),
    st.floats(1e-3, 1),
    st.floats(0.01, 30),
    SI8,
)
def test_a_sum_is_within_its_declared_error(
    data: st.DataObject, dtype: Any, input_scale: float, output_scale: float, zero: int
) -> None:
    x = data.draw(tensors((3, 40), dtype))
    info = np.iinfo(dtype)
    parameters: dict[str, Any] = reduce_mean_parameters(
        input_scale, output_scale, 1, output_bits=8 * np.dtype(dtype).itemsize
    )
    got = reduce_sum(x, dims=(1,), input_zero_point=zero, dtype=dtype, **parameters)
    real = (x.astype(np.float64) - zero).sum(axis=1) * (input_scale / output_scale)
    representable = np.clip(real, info.min, info.max)
    error = 0.5 + np.abs(real) * 2.0**-15
    assert np.all(np.abs(got - representable) <= error + 1e-9)


@given(
    st.data(),
    st.sampled_from([np.int8, np.int16]),
    st.sampled_from([(1,), (0, 2), (-1, 0), (0, 1, 2)]),
    st.booleans(),
)
def test_extremes_are_elements(
    data: st.DataObject, dtype: Any, dims: tuple[int, ...], keep_dim: bool
) -> None:
    x = data.draw(tensors((2, 3, 4), dtype))
    for name, function in (("bpu.reduce_max", max), ("bpu.reduce_min", min)):
        got = execute(name, [x], {"dims": dims, "keep_dim": keep_dim})
        axes = {dim % 3 for dim in dims}
        left = [axis for axis in range(3) if axis not in axes]
        assert got.dtype == dtype
        if keep_dim:
            assert got.shape == tuple(1 if axis in axes else x.shape[axis] for axis in range(3))
        rows = np.moveaxis(x, left, range(len(left))).reshape(*(x.shape[a] for a in left), -1)
        for index in np.ndindex(rows.shape[:-1]):
            expected = function(int(value) for value in rows[index])
            assert got.reshape(rows.shape[:-1])[index] == expected

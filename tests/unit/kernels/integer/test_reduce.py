"""bpu.reduce_mean against plain Python integers and against the real mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.kernels.integer.reduce import reduce_mean
from hbir.kernels.parameters import reduce_mean_parameters
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
def test_reduce_mean_equals_plain_integers(
    data: st.DataObject,
    dims: tuple[int, ...],
    keep_dim: bool,
    multiplier: int,
    shift: int,
    zero: int,
    out_zero: int,
):
    x = data.draw(tensors((2, 3, 4, 5), data.draw(st.sampled_from([np.int8, np.int16]))))
    got = reduce_mean(
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
    assert reduce_mean(x, dims=(1, 2), **parameters).tolist() == [[extreme, extreme]]

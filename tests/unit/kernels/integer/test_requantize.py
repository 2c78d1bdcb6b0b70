"""Requantization against plain Python integers: ties, ranges, saturation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.kernels.integer.requantize import requantize, rescale, saturate, scale_residual
from tests.unit.kernels.integer import oracle
from tests.unit.kernels.integer.strategies import MULTIPLIERS, SHIFTS

VALUES_48 = st.integers(-(2**47) + 1, 2**47 - 1)


@given(VALUES_48, MULTIPLIERS | st.just(0), SHIFTS)
def test_requantize_equals_plain_integers(value: int, multiplier: int, shift: int):
    got = requantize(np.array([value]), multiplier, shift)
    assert int(got[0]) == oracle.round_half_up(value * multiplier, shift)


@given(st.integers(-(2**20), 2**20), st.integers(2, 25))
def test_ties_go_towards_plus_infinity(whole: int, shift: int):
    """(whole + 1/2) * 2^shift with a multiplier of 2^14: the product is an exact tie."""
    value = (2 * whole + 1) << (shift - 1)
    assert int(requantize(np.array([value]), 1 << 14, shift + 14)[0]) == whole + 1


@given(
    st.lists(st.integers(-128, 127), min_size=1, max_size=4),
    MULTIPLIERS,
    st.integers(-16, 62),
)
def test_residuals_shift_left_exactly(values: list[int], multiplier: int, shift: int):
    got = scale_residual(np.array(values, np.int8), multiplier, shift)
    expected = [
        oracle.round_half_up(v * multiplier, shift) if shift > 0 else v * multiplier * 2**-shift
        for v in values
    ]
    assert got.tolist() == expected


@given(
    st.integers(-(2**62), 2**62),
    st.integers(-128, 127),
    st.sampled_from([np.int8, np.int16]),
    st.sampled_from([None, (-5, 5), (0, 127)]),
)
def test_saturation_looks_at_the_full_value(
    value: int, zero_point: int, dtype: type, clip: tuple[int, int] | None
):
    got = saturate(np.array([value]), zero_point, clip, dtype)
    assert int(got[0]) == oracle.saturated(value + zero_point, dtype, clip)
    assert got.dtype == dtype


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32])
@pytest.mark.parametrize("result", [np.int8, np.int16])
def test_rescale_equals_plain_integers(
    dtype: type[np.signedinteger[Any]], result: type[np.signedinteger[Any]]
):
    """Also above 256 elements, where si8 goes through a table."""
    generator = np.random.default_rng(3)
    info = np.iinfo(np.dtype(dtype).name)
    x = generator.integers(int(info.min), int(info.max) + 1, (3, 200), np.int64).astype(dtype)
    for multiplier, shift in ((16384, 14), (32767, 15), (20001, 22), (0, 2), (25000, 2)):
        got = rescale(
            x,
            multiplier=multiplier,
            shift=shift,
            input_zero_point=7,
            output_zero_point=-11,
            clip=(-100, 120),
            dtype=result,
        )
        expected = [
            oracle.saturated(
                oracle.round_half_up((int(v) - 7) * multiplier, shift) - 11, result, (-100, 120)
            )
            for v in x.reshape(-1)
        ]
        assert got.dtype == result
        assert got.reshape(-1).tolist() == expected

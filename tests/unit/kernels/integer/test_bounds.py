"""The proven accumulator bounds: never below what inputs reach, and reached by the worst one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.kernels.integer.bounds import accumulator_bound, sum_bound
from hbir.kernels.integer.conv import conv2d
from tests.unit.kernels.integer.strategies import tensors


@settings(deadline=None)
@given(st.data())
def test_the_bound_is_reached_within_one_part_in_127(data: st.DataObject):
    w = data.draw(tensors((3, 2, 2, 5), low=-127))
    bias = data.draw(st.lists(st.integers(-(2**29), 2**29), min_size=3, max_size=3))
    qpp = np.array([[b, 1 << 14, 14, 20000, -3] for b in bias], np.int32)
    bounds = accumulator_bound(w, qpp, residual_dtype=np.int8)
    for channel in range(3):
        sign = -1 if bias[channel] <= 0 else 1
        x = np.where(w[channel] * sign > 0, 127, -128).astype(np.int8)[None]
        residual = np.full((1, 1, 1, 3), -128 if sign < 0 else 127, np.int8)
        got = conv2d(x, w, qpp, residual, dtype=np.int32)
        reached = abs(int(got[0, 0, 0, channel]))
        assert reached <= bounds[channel]
        assert bounds[channel] - reached <= bounds[channel] / 127 + 1


def test_sums_count_the_zero_point():
    assert sum_bound(49, np.int8, -128) == 49 * 256
    assert sum_bound(9, np.int16, 0) == 9 * 32768

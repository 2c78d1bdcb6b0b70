"""Sums and means within their bounds, against float64."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hbir.kernels.float16.reduce import float_reduce_mean, float_reduce_sum
from hbir.kernels.float16.rounding import to_float16


@given(
    st.integers(0, 10_000),
    st.sampled_from([[0], [1], [0, 1], [1, 2], [0, 1, 2]]),
    st.floats(1e-4, 1e3),
    st.booleans(),
)
def test_sums_and_means_are_within_their_bounds(
    seed: int, dims: list[int], scale: float, keep: bool
) -> None:
    random = np.random.default_rng(seed)
    x = to_float16(random.normal(scale / 3, scale, (7, 31, 5)))
    wide, axes = x.astype(np.float64), tuple(dims)
    count = math.prod(x.shape[axis] for axis in axes)
    levels = math.ceil(math.log2(count))
    for kernel, divisor in ((float_reduce_sum, 1), (float_reduce_mean, count)):
        found = kernel(x, dims=dims, keep_dim=keep)
        exact = wide.sum(axis=axes, keepdims=keep) / divisor
        magnitude = np.abs(wide).sum(axis=axes, keepdims=keep) / divisor
        bound = (levels + 1) * 2.0**-24 * magnitude + 2.0**-11 * np.abs(exact) + 2.0**-25
        assert found.shape == exact.shape
        assert np.all(np.abs(found - np.clip(exact, -65504, 65504)) <= bound * (1 + 2.0**-9))


def test_sums_saturate() -> None:
    x = np.full((4, 1000), 60000, np.float16)
    np.testing.assert_array_equal(float_reduce_sum(x, dims=[1]), [65504.0] * 4)
    np.testing.assert_array_equal(float_reduce_mean(x, dims=[1]), [60000.0] * 4)

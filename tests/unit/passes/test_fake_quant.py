"""Ranges: both ends are reached, 0 is exact, and no narrower range would do."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hbir.kernels.quantize import scale_and_zero_point
from hbir.passes.fake_quant import asymmetric_range, symmetric_range

ends = st.floats(-1e4, 1e4, width=32)


@given(st.tuples(ends, ends).map(sorted))
@example([-3.0, 114.86])
@example([-1e-3, 50.0])
@example([-50.0, 1e-3])
def test_an_asymmetric_range_holds_what_was_observed(observed: list[float]) -> None:
    low, high = min(observed[0], 0.0), max(observed[1], 0.0)
    minimum, maximum = asymmetric_range((low, high))
    scale, zero_point = scale_and_zero_point(8, minimum, maximum, False)
    rounding = 1 - 2.0**-20  # of the scale to float32
    assert minimum <= low * rounding
    assert maximum >= high * rounding
    assert -128 <= zero_point <= 127
    if high - low > 1e-30:  # else it is a range for zeros
        assert float(scale) <= (high - low) / 254 / rounding


def test_a_hard_swish_keeps_its_flat_part() -> None:
    minimum, _ = asymmetric_range((-3.0, 114.86))
    assert minimum <= -3.0 * (1 - 2.0**-20)


@pytest.mark.parametrize("bits", [8, 16])
def test_a_tensor_of_zeros_can_be_added_to_a_small_one(bits: int) -> None:
    """Its steps are no more than some thousands of those of a result of 0.01."""
    zeros = scale_and_zero_point(bits, *symmetric_range((0.0, 0.0), bits), False)
    result = scale_and_zero_point(bits, *symmetric_range((-0.01, 0.01), bits), False)
    assert zeros[1] == 0
    assert zeros[0] / result[0] < 8191

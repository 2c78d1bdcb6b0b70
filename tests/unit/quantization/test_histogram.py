"""Histograms against NumPy on everything at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.errors import HbirError
from hbir.ir.types import Array
from hbir.quantization.histogram import Histogram, bins_for

BINS = 64
numbers = st.one_of(
    st.floats(-1e6, 1e6, width=32), st.sampled_from([0.0, 1.0, -1.0, 2.0, -64.0, 1e-30, -1e30])
)
chunks = st.lists(st.lists(numbers, max_size=40), min_size=1, max_size=8)


def counted(*parts: list[float]) -> Histogram:
    histogram = Histogram(BINS)
    for part in parts:
        array = np.array(part, np.float32)
        histogram.observe(array, array.min(initial=0.0), array.max(initial=0.0))
    return histogram


@given(chunks)
def test_it_is_a_function_of_the_numbers_alone(parts: list[list[float]]) -> None:
    whole = [number for part in parts for number in part]
    merged = Histogram(BINS)
    for part in reversed(parts):
        merged.merge(counted(part))
    assert counted(*parts) == counted(whole) == merged


@given(chunks)
def test_bins_hold_what_numpy_says(parts: list[list[float]]) -> None:
    whole = np.array([number for part in parts for number in part], np.float32)
    histogram = counted(*parts)
    centres, counts = histogram.points()
    assert counts.sum() == whole.size == histogram.magnitudes().sum()
    edges = np.arange(BINS + 1) * histogram.width
    expected, _ = np.histogram(np.abs(whole).astype(np.float64), edges)
    assert np.array_equal(histogram.magnitudes(), expected)
    assert np.all(np.diff(centres) > 0)
    if whole.size and np.abs(whole).max() > 1e-20:
        assert np.abs(whole).max() >= histogram.width * BINS / 2, "half of the bins are in use"


def test_memory_does_not_grow_with_the_data() -> None:
    histogram, rng = Histogram(), np.random.default_rng(0)
    before = histogram.nbytes
    for scale in (1.0, 1e3, 1e12):
        data: Array = (scale * rng.normal(size=100_000)).astype(np.float32)
        histogram.observe(data, float(data.min()), float(data.max()))
    assert histogram.nbytes == before


def test_bins_are_checked() -> None:
    assert [bins_for(n) for n in (258, 8192, 10_000)] == [128, 4096, 4096]
    with pytest.raises(HbirError, match="power of two from 64, got 100"):
        Histogram(100)
    with pytest.raises(HbirError, match="64 and 128 bins can't be merged"):
        Histogram(64).merge(Histogram(128))

"""Observers against NumPy on everything at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.errors import HbirError
from hbir.quantization.observers import (
    HISTOGRAM_BINS,
    MaxObserver,
    PercentileObserver,
    observer_factory,
)

chunks = st.lists(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=0, max_size=40), min_size=1, max_size=8
)


@given(chunks)
def test_max_is_the_extremes_of_all_chunks(parts: list[list[float]]) -> None:
    observer = MaxObserver()
    for part in parts:
        observer.observe(np.array(part, np.float32))
    everything = [number for part in parts for number in part]
    expected = (min(everything), max(everything)) if everything else (0.0, 0.0)
    assert observer.range() == expected


@given(chunks, st.floats(1, 100))
def test_percentile_is_within_a_bin_of_the_order_statistic(
    parts: list[list[float]], percentile: float
) -> None:
    observer = PercentileObserver(percentile)
    for part in parts:
        observer.observe(np.array(part, np.float32))
    everything = np.array([number for part in parts for number in part])
    if not everything.size:
        assert observer.range() == (0.0, 0.0)
        return
    magnitudes = np.sort(np.abs(everything))
    wanted = magnitudes[int(np.ceil(magnitudes.size * percentile / 100)) - 1]
    low, high = observer.range()
    assert everything.min() <= low <= high <= everything.max()
    limit = max(-low, high)
    # The extent doubles at most once beyond the largest magnitude: a bin is 2 / bins of it.
    bin_width = 2 * magnitudes[-1] / HISTOGRAM_BINS
    if limit < max(-everything.min(), everything.max()):
        assert wanted - 1e-6 * wanted <= limit <= wanted + 1.001 * bin_width
    assert limit >= min(wanted, magnitudes[-1]) * (1 - 1e-6)


def test_memory_does_not_grow_with_the_data() -> None:
    observer = PercentileObserver()
    rng = np.random.default_rng(0)
    observer.observe(rng.normal(size=1000).astype(np.float32))
    before = {name: getattr(value, "nbytes", 0) for name, value in vars(observer).items()}
    for scale in (1.0, 1e3, 1e12):
        observer.observe((scale * rng.normal(size=100_000)).astype(np.float32))
    after = {name: getattr(value, "nbytes", 0) for name, value in vars(observer).items()}
    assert before == after


def test_percentile_ignores_the_outlier_that_max_follows() -> None:
    data = np.concatenate([np.linspace(-1, 1, 100_000), [1000.0]]).astype(np.float32)
    tight, wide = PercentileObserver(99.9), MaxObserver()
    tight.observe(data)
    wide.observe(data)
    assert wide.range()[1] == 1000.0
    assert tight.range()[1] < 1.5


def test_wrong_methods_and_options_are_named() -> None:
    with pytest.raises(HbirError, match="no calibration method 'kl'; use max or percentile"):
        observer_factory("kl")
    with pytest.raises(HbirError, match="'max' has no option 'percentile'; it has no options"):
        observer_factory("max", percentile=99)
    with pytest.raises(HbirError, match="percentile must be above 0"):
        observer_factory("percentile", percentile=0)

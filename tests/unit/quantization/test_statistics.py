"""What is remembered of a tensor, against NumPy on everything at once, however data is cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.ir.types import Array
from hbir.quantization.statistics import ChannelMean, MovingAverage, TensorStatistics, Wanted

batches = st.lists(
    st.lists(st.floats(-1e3, 1e3, width=32), min_size=4, max_size=4), min_size=1, max_size=9
)


def observed(wanted: Wanted, parts: list[Array]) -> TensorStatistics:
    statistics = TensorStatistics(wanted)
    for part in parts:
        statistics.observe(part)
    return statistics


@given(batches, st.integers(0, 9))
def test_parts_merge_to_the_whole(rows: list[list[float]], cut: int) -> None:
    arrays = [np.array(row, np.float32).reshape(2, 2) for row in rows]
    wanted = Wanted(histograms=True, channels=True)
    whole = observed(wanted, arrays)
    parts = observed(wanted, arrays[:cut])
    parts.merge(observed(wanted, arrays[cut:]))
    everything = np.stack(arrays)
    assert whole.extremes() == parts.extremes() == (everything.min(), everything.max())
    assert whole.histogram == parts.histogram
    channels = everything.reshape(-1, 2)
    for found in (whole.channels, parts.channels):
        assert found is not None
        assert np.array_equal(found[0], channels.min(axis=0))
        assert np.array_equal(found[1], channels.max(axis=0))


def test_nothing_seen_is_an_empty_range() -> None:
    statistics = observed(Wanted(histograms=True), [np.zeros((0, 3), np.float32)])
    assert statistics.extremes() == (0.0, 0.0)


@given(batches, st.floats(0.01, 1.0), st.integers(0, 9))
def test_moving_averages_follow_their_definition(
    rows: list[list[float]], constant: float, cut: int
) -> None:
    extremes = [(min(row), max(row)) for row in rows]
    expected = np.array(extremes[0])
    for pair in extremes[1:]:
        expected = expected + constant * (np.array(pair) - expected)
    first, second = MovingAverage(constant), MovingAverage(constant)
    for pair in extremes[:cut]:
        first.observe(pair)
    for pair in extremes[cut:]:
        second.observe(pair)
    first.merge(second)
    assert first.extremes() == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_channel_means_merge() -> None:
    data = np.random.default_rng(0).normal(size=(6, 5, 3)).astype(np.float32)
    first, second = ChannelMean(), ChannelMean()
    first.observe(data[:2])
    second.observe(data[2:])
    first.merge(second)
    first.merge(ChannelMean())
    assert first.mean() == pytest.approx(data.reshape(-1, 3).mean(axis=0), rel=1e-6)

"""Each method against an oracle that isn't ours: NumPy, onnxruntime's calibrators, scipy's entropy,
every range by brute force."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnxruntime.quantization import calibrate as onnxruntime_calibrate
from scipy.stats import entropy

from hbir.errors import HbirError
from hbir.ir.types import Array
from hbir.kernels.quantize import const_fake_quant
from hbir.passes.fake_quant import asymmetric_range, symmetric_range
from hbir.quantization.methods.kl import divergences, least_divergence
from hbir.quantization.methods.method import METHODS, Method, method_of
from hbir.quantization.methods.mse import squared_error
from hbir.quantization.similarity import cosine_similarity
from hbir.quantization.statistics import TensorStatistics, Wanted

RNG = np.random.default_rng(0)
HEAVY_TAILED: Array = RNG.standard_t(df=5, size=300_000).astype(np.float32)
DATA: dict[str, Array] = {
    "heavy tails": HEAVY_TAILED,
    "heavy tails of a relu": np.maximum(HEAVY_TAILED, 0),
    "a relu6": np.clip(3 * RNG.normal(size=50_000), 0, 6).astype(np.float32),
    "normal and an outlier": np.append(RNG.normal(size=300_000), 25).astype(np.float32),
    "exponential tails": RNG.laplace(size=300_000).astype(np.float32),
    "two ends": (RNG.gamma(1.0, 2.0, size=50_000) - 0.4).astype(np.float32),
}


def seen(data: Array) -> TensorStatistics:
    statistics = TensorStatistics(Wanted(histograms=True))
    for part in np.array_split(data, 5):
        statistics.observe(part)
    return statistics


def rounded(data: Array, found: tuple[float, float], asymmetric: bool) -> Array:
    low, high = (asymmetric_range if asymmetric else symmetric_range)(found)
    return const_fake_quant(data, min=[low], max=[high])


def mean_squared_error(data: Array, found: tuple[float, float], asymmetric: bool) -> float:
    return float(np.mean((data.astype(np.float64) - rounded(data, found, asymmetric)) ** 2))


@pytest.mark.parametrize("name", DATA)
def test_max_is_onnxruntimes_range(name: str) -> None:
    data = DATA[name]
    assert method_of("max").range(seen(data)) == (data.min(), data.max())


@given(st.floats(0.5, 1.0), st.sampled_from(sorted(DATA)))
def test_percentile_is_within_a_bin_of_the_order_statistic(share: float, name: str) -> None:
    data = DATA[name]
    statistics = seen(data)
    low, high = Method("percentile", share).range(statistics)
    assert data.min() <= low <= high <= data.max()
    limit = max(-low, high)
    wanted = np.quantile(np.abs(data), share, method="inverted_cdf")
    assert statistics.histogram is not None
    if limit < np.abs(data).max():
        assert wanted * (1 - 1e-6) <= limit <= wanted + 1.001 * statistics.histogram.width


@pytest.mark.parametrize("name", DATA)
def test_percentile_is_onnxruntimes(name: str) -> None:
    """Its symmetric percentile calibrator, on as many bins as it likes."""
    data = DATA[name]
    calibrators: Any = onnxruntime_calibrate
    collector = calibrators.HistogramCollector(
        method="percentile", symmetric=True, num_bins=8192, num_quantized_bins=128,
        percentile=99.9, scenario="same",
    )  # fmt: skip
    collector.collect({"x": [data]})
    bounds: Any = collector.compute_percentile()["x"]
    low, high = Method("percentile", 0.999).range(seen(data))
    limit = max(-low, high)
    # Theirs puts half of what is cut at each end, so of one-sided data it keeps a little more.
    assert limit <= float(bounds.highest[0] if hasattr(bounds, "highest") else bounds[1]) * 1.01


def reference_divergence(counts: Array, kept: int, levels: int) -> float:
    """Migacz's objective, bin by bin, with scipy's entropy."""
    wanted = counts[:kept].astype(np.float64)
    wanted[-1] += counts[kept:].sum()
    found = np.zeros(kept)
    for level in range(levels):
        first, last = level * kept // levels, (level + 1) * kept // levels
        filled = counts[first:last] > 0
        if filled.any():
            found[first:last][filled] = counts[first:last].sum() / filled.sum()
    found = np.maximum(found / found.sum(), 1e-9)
    # entropy() normalises what it gets; ours leaves the floor of 1e-9 as it is
    return float(entropy(wanted, found)) - float(np.log(found.sum()))


@given(st.integers(0, 1000), st.integers(130, 260))
def test_kl_is_scipys_entropy_and_its_search_finds_the_least(seed: int, bins: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(400 / (1 + np.arange(bins)) ** rng.uniform(0.5, 2)).astype(np.float64)
    counts[0] = counts[1] = counts[1] + 1
    losses = [reference_divergence(counts, kept, 128) for kept in range(128, bins + 1)]
    found = divergences(counts, np.arange(128, bins + 1), 128)
    assert found == pytest.approx(losses, rel=1e-9, abs=1e-12)
    assert losses[least_divergence(counts, 128) - 128] == pytest.approx(min(losses), abs=1e-12)


def test_kl_looks_at_every_bin_around_the_best_of_its_grid() -> None:
    bins, levels, stride = 1024, 128, 9
    finer = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        counts = rng.poisson(400 / (1 + np.arange(bins)) ** 0.7).astype(np.float64)
        counts[0] = counts[1]
        losses = dict(enumerate(divergences(counts, np.arange(1, bins + 1), levels), start=1))
        best = min([*range(levels, bins, stride), bins], key=lambda kept: losses[kept])
        around = range(max(best - stride + 1, levels), min(best + stride, bins + 1))
        least = min(losses[kept] for kept in around)
        assert losses[least_divergence(counts, levels)] == pytest.approx(least, rel=1e-12)
        finer += least < losses[best] * (1 - 1e-9)
    assert finer, "a bin off the grid is the best at least once"


@pytest.mark.parametrize("name", ["heavy tails", "exponential tails"])
def test_mse_is_finer_than_its_first_clips(name: str) -> None:
    statistics = seen(DATA[name])
    assert statistics.histogram is not None
    values, counts = statistics.histogram.points()
    largest = max(map(abs, statistics.extremes()))

    def error(limit: float) -> float:
        low, high = statistics.extremes()
        found = max(low, -limit), min(high, limit)
        return squared_error(values, counts, found, asymmetric=False)

    found = Method("mse").range(statistics)
    first = min(error(largest * share) for share in np.linspace(1.0, 0.02, 50))
    finest = min(error(largest * share) for share in np.linspace(1.0, 0.02, 2451))
    limit = max(map(abs, found))
    assert error(limit) < first
    assert error(limit) <= finest * (1 + 1e-3)


@pytest.mark.parametrize("asymmetric", [False, True])
@pytest.mark.parametrize("name", ["heavy tails", "exponential tails"])
def test_kl_clips_heavy_tails_and_beats_max(name: str, asymmetric: bool) -> None:
    """onnxruntime's "entropy" leaves its search one candidate, the largest magnitude."""
    data = DATA[name]
    statistics = seen(data)
    largest = Method("max").range(statistics)
    found = Method("kl", asymmetric=asymmetric).range(statistics)
    assert max(-found[0], found[1]) < 0.99 * max(-largest[0], largest[1])
    assert mean_squared_error(data, found, asymmetric) < mean_squared_error(
        data, largest, asymmetric
    )
    by_kl = cosine_similarity(data, rounded(data, found, asymmetric))
    assert by_kl > cosine_similarity(data, rounded(data, largest, asymmetric))


@pytest.mark.parametrize("asymmetric", [False, True])
@pytest.mark.parametrize("name", DATA)
def test_mse_is_as_good_as_brute_force(name: str, asymmetric: bool) -> None:
    data = DATA[name][:20_000]
    found = Method("mse", asymmetric=asymmetric).range(seen(data))
    low, high = float(data.min()), float(data.max())
    shares = np.linspace(0.02, 1, 60)
    lows = [low * share for share in shares] if asymmetric and low < 0 else [low]
    # a coarser grid for two ends, for there are its square
    candidates = (
        [(a, high * s) for a in lows[::3] for s in shares[::3]]
        if asymmetric
        else [(max(low, -limit), min(high, limit)) for limit in shares * max(-low, high)]
    )
    least = min(mean_squared_error(data, candidate, asymmetric) for candidate in candidates)
    assert mean_squared_error(data, found, asymmetric) <= 1.02 * least


def test_the_error_of_a_histogram_is_that_of_the_data() -> None:
    data = DATA["two ends"]
    histogram = seen(data).histogram
    assert histogram is not None
    values, counts = histogram.points()
    for found in ((-1.0, 4.0), (0.0, 12.0)):
        error = squared_error(values, counts, found, asymmetric=True) / data.size
        assert error == pytest.approx(mean_squared_error(data, found, True), rel=0.02)


@pytest.mark.parametrize("name", [name for name in METHODS if name != "mix"])
def test_empty_and_constant_data_have_a_range(name: str) -> None:
    for data in (np.zeros(0), np.zeros(9), np.full(9, 2.5), np.full(9, -1e-30)):
        low, high = Method(name).range(seen(data.astype(np.float32)))
        assert low <= high
        assert abs(low) <= 2.5
        assert high in (0.0, 2.5, pytest.approx(-1e-30))


def test_numbers_of_bins_are_those_that_are_asked_for() -> None:
    statistics = seen(HEAVY_TAILED)
    histogram = statistics.histogram
    assert histogram is not None
    used = int(max(map(abs, statistics.largest())) / histogram.width) + 1
    for num_bin in (200, 1024):
        found = Method("kl", num_bin=num_bin).range(statistics)
        bins = max(map(abs, found)) / histogram.width
        assert bins % (used // num_bin) == 0, "a cut lies between the bins that were searched"
    for bins in (512, 8192):
        observed = TensorStatistics(method_of("percentile", max_num_bin=bins).wanted)
        observed.observe(HEAVY_TAILED)
        assert observed.histogram is not None
        assert len(observed.histogram.magnitudes()) == bins // 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: method_of("entropy"), "no calibration method 'entropy'; use max, percentile, kl"),
        (lambda: method_of("max", percentile=99), "'max' has no option 'percentile'; it has av"),
        (lambda: method_of("percentile", percentile=0), "percentile must be above 0"),
        (lambda: method_of("kl", num_bin=128), "num_bin must be 129 or more, got 128"),
        (lambda: method_of("kl", max_num_bin=257), "max_num_bin must be 258 or more"),
        (lambda: method_of("kl", max_num_bin=1 << 40), "and at most 65536, got 1099511627776"),
        (lambda: method_of("kl", num_bin=200.5), "num_bin must be a whole number, got 200.5"),
        (lambda: method_of("kl", num_bin=float("inf")), "num_bin must be a whole number, got inf"),
        (lambda: method_of("max", averaging="a"), "averaging must be a number, got 'a'"),  # pyright: ignore[reportArgumentType]  (bad input)
        (lambda: method_of("max", averaging=0), "averaging must be above 0"),
    ],
)
def test_wrong_methods_and_options_are_named(make: Callable[[], Method], message: str) -> None:
    with pytest.raises(HbirError, match=message):
        make()


def test_labels_are_those_of_the_toolchain() -> None:
    assert Method("max", 0.99995).label == "max-percentile:percentile=0.99995"
    assert Method("max").label == "max"
    assert Method("kl", asymmetric=True).label == "kl:num_bin=1024,asymmetric=True"

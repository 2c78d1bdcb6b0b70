"""`percentile`: the range that holds a share of the magnitudes seen."""

from __future__ import annotations

import math

import numpy as np

from hbir.quantization.statistics import Range, TensorStatistics

PERCENTILE = 0.9999
"""The share kept where nothing else is said."""


def percentile_range(statistics: TensorStatistics, percentile: float) -> Range:
    """The largest range, cut at the magnitude below which a share `percentile` of all lie.

    Exact to a bin of the histogram, 1/2048 of the largest magnitude at most.
    """
    low, high = statistics.largest()
    histogram = statistics.histogram
    if histogram is None or percentile >= 1:
        return low, high
    counts = np.cumsum(histogram.magnitudes())
    total = int(counts[-1])
    if total == 0:
        return low, high
    index = int(np.searchsorted(counts, math.ceil(total * percentile)))
    return cut_at((low, high), (index + 1) * histogram.width)


def cut_at(whole: Range, limit: float) -> Range:
    """A range without what lies beyond ±limit."""
    return max(whole[0], -limit), min(whole[1], limit)

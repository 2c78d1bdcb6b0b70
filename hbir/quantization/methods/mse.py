"""`mse`: the range with the least squared error between the numbers and what integers make of them.

The error of a range is that of the histogram's bins, each at its centre, rounded exactly as the
machine's scale and zero point round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from hbir.ir.types import Array
from hbir.kernels.quantize import integer_range, scale_and_zero_point
from hbir.passes.fake_quant import asymmetric_range, symmetric_range
from hbir.quantization.statistics import Range, TensorStatistics

_SHARES = np.linspace(1.0, 0.02, 50)
"""Clips as shares of the largest, tried first."""

_REFINEMENTS = 2
"""How often the distance between clips is divided by `_FINER` around the best."""
_FINER = 5

_ROUNDS = 2
"""How often the two ends of a range are searched in turn."""


def mse_range(statistics: TensorStatistics, *, asymmetric: bool) -> Range:
    """The part of the largest range whose integers have the least squared error."""
    low, high = statistics.largest()
    histogram = statistics.histogram
    if histogram is None or low >= high:
        return low, high
    values, counts = histogram.points()

    def best(ranges: Sequence[Range]) -> int:
        errors = [squared_error(values, counts, found, asymmetric=asymmetric) for found in ranges]
        return int(np.argmin(errors))

    if not asymmetric or low >= 0 or high <= 0:
        largest = max(-low, high)
        limit = _search(
            largest, lambda limits: best([(max(low, -x), min(high, x)) for x in limits])
        )
        return max(low, -limit), min(high, limit)
    below, above = low, high
    for _ in range(_ROUNDS):
        above = _search(high, lambda limits, low=below: best([(low, x) for x in limits]))
        below = -_search(-low, lambda limits, high=above: best([(-x, high) for x in limits]))
    return below, above


def squared_error(
    values: Array, counts: Array, found: Range, *, asymmetric: bool, bits: int = 8
) -> float:
    """The sum over `counts` of the squared error of `values` as integers of the range `found`."""
    low, high = (asymmetric_range if asymmetric else symmetric_range)(found, bits)
    scale, zero_point = scale_and_zero_point(bits, low, high)
    least, greatest = integer_range(bits)
    steps = np.clip(np.rint(values / float(scale)), least - zero_point, greatest - zero_point)
    return float(((values - steps * float(scale)) ** 2 * counts).sum())


def _search(largest: float, best: Callable[[Sequence[float]], int]) -> float:
    """The limit up to `largest` that `best`, which gives a place among limits, likes most."""
    limits = [float(largest * share) for share in _SHARES]
    distance = limits[0] - limits[1]
    found = limits[best(limits)]
    for _ in range(_REFINEMENTS):
        step = distance / _FINER
        around = [found + step * i for i in range(_FINER - 1, -_FINER, -1)]
        limits = [limit for limit in around if 0 < limit <= largest] or [found]
        found = limits[best(limits)]
        distance = step
    return found

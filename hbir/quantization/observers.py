"""What calibration remembers of a tensor: a few numbers or a histogram, however much data passes.

An observer is fed arrays one by one and asked for a range at the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np

from hbir.errors import HbirError
from hbir.ir.types import Array

HISTOGRAM_BINS = 4096
"""Bins of the percentile observer: at 8 bits a quantization step spans 16 to 32 of them."""


class Observer(Protocol):
    """Sees arrays of one tensor; `range` is what is to be represented of them."""

    def observe(self, array: Array) -> None:
        """Take account of an array of finite numbers."""
        ...

    def range(self) -> tuple[float, float]:
        """(low, high); (0, 0) when nothing but empty arrays was seen."""
        ...

    def extremes(self) -> tuple[float, float]:
        """The range of everything seen."""
        ...


class MaxObserver:
    """The smallest and largest number seen."""

    def __init__(self) -> None:
        self._low = math.inf
        self._high = -math.inf

    def observe(self, array: Array) -> None:
        """Widen the range by an array."""
        if array.size:
            self._low = min(self._low, float(array.min()))
            self._high = max(self._high, float(array.max()))

    def range(self) -> tuple[float, float]:
        """The extremes."""
        return (self._low, self._high) if self._low <= self._high else (0.0, 0.0)

    extremes = range


class PercentileObserver:
    """The range that holds a percentage of the magnitudes seen.

    A histogram of |x| with a fixed number of bins. Where a larger magnitude arrives, its extent
    doubles and neighbouring bins merge, so counts stay exact and memory fixed; the answer is
    off by at most a bin, 1/2048 of the largest magnitude.
    """

    def __init__(self, percentile: float = 99.99) -> None:
        if not 0 < percentile <= 100:
            raise HbirError(f"percentile must be above 0 and at most 100, got {percentile}")
        self._percentile = percentile
        self._extremes = MaxObserver()
        self._counts = np.zeros(HISTOGRAM_BINS, np.int64)
        self._extent = 0.0

    def observe(self, array: Array) -> None:
        """Count an array's magnitudes."""
        if not array.size:
            return
        self._extremes.observe(array)
        magnitudes = np.abs(array.astype(np.float64)).reshape(-1)
        self._reach(float(magnitudes.max()))
        if self._extent == 0:
            self._counts[0] += magnitudes.size
            return
        bins = (magnitudes * (HISTOGRAM_BINS / self._extent)).astype(np.int64)
        np.minimum(bins, HISTOGRAM_BINS - 1, out=bins)
        self._counts += np.bincount(bins, minlength=HISTOGRAM_BINS)

    def _reach(self, largest: float) -> None:
        """Grow the extent, by doublings, until it holds `largest`."""
        if largest <= self._extent:
            return
        if self._extent == 0:  # so far only zeros, all in bin 0
            self._extent = largest
            return
        doublings = math.ceil(math.log2(largest / self._extent))
        # Past the number of bins everything seen so far falls into bin 0.
        for _ in range(min(doublings, HISTOGRAM_BINS.bit_length())):
            merged = self._counts.reshape(-1, 2).sum(axis=1)
            self._counts = np.concatenate([merged, np.zeros_like(merged)])
        self._extent *= 2.0**doublings

    def range(self) -> tuple[float, float]:
        """The extremes, cut at the magnitude below which `percentile` % of all lie."""
        low, high = self._extremes.range()
        total = int(self._counts.sum())
        if total == 0:
            return 0.0, 0.0
        wanted = math.ceil(total * self._percentile / 100)
        index = int(np.searchsorted(np.cumsum(self._counts), wanted))
        limit = (index + 1) * self._extent / HISTOGRAM_BINS
        return max(low, -limit), min(high, limit)

    def extremes(self) -> tuple[float, float]:
        """The smallest and largest number seen."""
        return self._extremes.range()


class ChannelMean:
    """The mean of each channel, the last axis, over everything seen."""

    def __init__(self) -> None:
        self._sums: Array = np.zeros(0)
        self._count = 0

    def observe(self, array: Array) -> None:
        """Add an array's channels."""
        rows = array.reshape(-1, array.shape[-1])
        sums = rows.sum(axis=0, dtype=np.float64)
        self._sums = self._sums + sums if self._count else sums
        self._count += rows.shape[0]

    def mean(self) -> Array:
        """float64 (channels); zeros when nothing but empty arrays was seen."""
        return self._sums / max(self._count, 1)


_METHODS: dict[str, Callable[..., Observer]] = {
    "max": MaxObserver,
    "percentile": PercentileObserver,
}


def observer_factory(method: str, **options: float) -> Callable[[], Observer]:
    """A function that makes observers of `method`: `max`, or `percentile` (option percentile).

    Raises HbirError for an unknown method or option.
    """
    if method not in _METHODS:
        raise HbirError(f"there is no calibration method {method!r}; use {' or '.join(_METHODS)}")
    allowed = {"percentile"} if method == "percentile" else set[str]()
    unknown = sorted(set(options) - allowed)
    if unknown:
        takes = ", ".join(sorted(allowed)) or "no options"
        raise HbirError(
            f"calibration method {method!r} has no option {unknown[0]!r}; it has {takes}"
        )
    _METHODS[method](**options)  # a wrong value fails here, not at the first tensor
    return lambda: _METHODS[method](**options)

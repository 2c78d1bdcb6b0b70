"""What calibration remembers of a tensor: a few numbers and a histogram, however much data passes.

Statistics of parts of the data are made apart, perhaps by other processes, and merged in the order
of the data: everything but the means and moving averages is exact, and these depend on how the data
was cut into parts, which never depends on the number of workers (`hbir/quantization/observe.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hbir.ir.types import Array
from hbir.quantization.histogram import BINS, Histogram

Range = tuple[float, float]


@dataclass(frozen=True)
class Wanted:
    """What is to be remembered of every tensor beside its extremes.

    averaging: the constant c of moving averages, a ← a + c·(x − a) per batch; None for none.
    channels: the extremes of each channel, the last axis.
    """

    histograms: bool = False
    bins: int = BINS
    averaging: float | None = None
    channels: bool = False


class MovingAverage:
    """Moving averages of the extremes of batches; parts compose, each being an affine map."""

    def __init__(self, constant: float) -> None:
        self._constant = constant
        self._first: Range | None = None
        self._decay = 1.0
        self._added = (0.0, 0.0)

    def observe(self, extremes: Range) -> None:
        """One batch's extremes."""
        c = self._constant
        self._compose(extremes, 1.0 - c, (c * extremes[0], c * extremes[1]))

    def merge(self, later: MovingAverage) -> None:
        """What came after everything seen here."""
        if later._first is not None:
            self._compose(later._first, later._decay, later._added)

    def _compose(self, first: Range, decay: float, added: Range) -> None:
        self._first = self._first or first
        self._decay *= decay
        self._added = (
            decay * self._added[0] + added[0],
            decay * self._added[1] + added[1],
        )

    def extremes(self) -> Range:
        """The averages; the first batch's extremes are where they start."""
        if self._first is None:
            return 0.0, 0.0
        low, high = (self._decay * f + a for f, a in zip(self._first, self._added, strict=True))
        return low, high


class TensorStatistics:
    """What is remembered of one tensor."""

    def __init__(self, wanted: Wanted) -> None:
        self._low, self._high = math.inf, -math.inf
        self.histogram = Histogram(wanted.bins) if wanted.histograms else None
        self.average = None if wanted.averaging is None else MovingAverage(wanted.averaging)
        self._with_channels = wanted.channels
        self.channels: tuple[Array, Array] | None = None
        """The extremes of each channel: lows, highs."""

    def observe(self, array: Array) -> bool:
        """Take account of an array; False, and nothing is taken, where it holds nan or inf."""
        if not array.size:
            return True
        low, high = float(array.min()), float(array.max())
        if not (math.isfinite(low) and math.isfinite(high)):  # nan is its own least and greatest
            return False
        self._low, self._high = min(self._low, low), max(self._high, high)
        if self.histogram is not None:
            self.histogram.observe(array, low, high)
        if self.average is not None:
            self.average.observe((low, high))
        if self._with_channels and array.ndim:
            others = tuple(range(array.ndim - 1))
            self._join_channels((array.min(axis=others), array.max(axis=others)))
        return True

    def merge(self, later: TensorStatistics) -> None:
        """Take account of what was remembered of later data."""
        self._low, self._high = min(self._low, later._low), max(self._high, later._high)
        if self.histogram is not None and later.histogram is not None:
            self.histogram.merge(later.histogram)
        if self.average is not None and later.average is not None:
            self.average.merge(later.average)
        if later.channels is not None:
            self._join_channels(later.channels)

    def _join_channels(self, found: tuple[Array, Array]) -> None:
        if self.channels is None:
            self.channels = found
            return
        lows, highs = self.channels
        self.channels = np.minimum(lows, found[0]), np.maximum(highs, found[1])

    def extremes(self) -> Range:
        """The range of everything seen; (0, 0) when nothing but empty arrays was."""
        return (self._low, self._high) if self._low <= self._high else (0.0, 0.0)

    def largest(self) -> Range:
        """What a range without clipping holds: the extremes, or their moving averages."""
        return self.extremes() if self.average is None else self.average.extremes()


class ChannelMean:
    """The mean of each channel, the last axis, over everything seen."""

    def __init__(self) -> None:
        self._sums: Array = np.zeros(0)
        self._count = 0

    def observe(self, array: Array) -> None:
        """Add an array's channels."""
        others = tuple(range(array.ndim - 1))
        count = math.prod(array.shape[:-1])
        self._add(array.sum(axis=others, dtype=np.float64), count)

    def merge(self, later: ChannelMean) -> None:
        """Add what was added to `later`."""
        if later._count:
            self._add(later._sums, later._count)

    def _add(self, sums: Array, count: int) -> None:
        self._sums = self._sums + sums if self._count else sums
        self._count += count

    def mean(self) -> Array:
        """float64 (channels); zeros when nothing but empty arrays was seen."""
        return self._sums / max(self._count, 1)

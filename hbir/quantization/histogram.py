"""Counts of the numbers of a tensor, in bins that widen as larger numbers come: `Histogram`.

Bins are a power of two wide and lie around 0, so that widening them merges pairs and loses nothing:
what is counted depends on the numbers alone, never on their order or on how they were cut into
arrays. So histograms of parts can be made anywhere and merged in any order, and memory is fixed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hbir.errors import HbirError
from hbir.ir.types import Array

BINS = 4096
"""Bins of a magnitude: the largest seen is in the upper half of them, so at 8 bits, symmetric, a
step spans 16 to 32."""

LEAST_BINS = 64

_BLOCK_ELEMENTS = 1 << 17
"""Numbers that are counted at once: places take eight bytes each, which should stay in the
cache."""

_FINEST_EXPONENT = -100
"""Extents below 2^-100 count as that: float32 could not scale what lies in them."""


class Histogram:
    """Counts per bin; bin b holds the numbers whose x / width, cut towards 0, is b.

    Bins go from −(bins − 1) to bins − 1; bin 0 is twice as wide as the others.
    """

    def __init__(self, bins: int = BINS) -> None:
        if bins < LEAST_BINS or bins & (bins - 1):
            raise HbirError(
                f"a histogram's bins must be a power of two from {LEAST_BINS}, got {bins}"
            )
        self._bins = bins
        self._exponent = _FINEST_EXPONENT
        """Magnitudes are below 2 to this power."""
        self._counts = np.zeros(2 * bins - 1, np.int64)

    @property
    def width(self) -> float:
        """Width of a bin."""
        return math.ldexp(1.0, self._exponent) / self._bins

    def observe(self, array: Array, low: float, high: float) -> None:
        """Count an array of finite numbers; low, high: its least and greatest."""
        if not array.size:
            return
        self._reach(math.frexp(max(-low, high))[1])
        # In the order of memory: arrays may be transposed, and counts don't depend on the order.
        numbers, factor = array.ravel(order="K"), array.dtype.type(1.0 / self.width)
        first = self._bins - 1
        counts = self._counts if low < 0 else self._counts[first:]
        for start in range(0, numbers.size, _BLOCK_ELEMENTS):
            places = (numbers[start : start + _BLOCK_ELEMENTS] * factor).astype(np.intp)
            if low < 0:
                places += first
            counts += np.bincount(places, minlength=counts.size)

    def merge(self, other: Histogram) -> None:
        """Count what `other` counted. Raises HbirError when it has another number of bins."""
        if other._bins != self._bins:
            raise HbirError(f"histograms of {self._bins} and {other._bins} bins can't be merged")
        self._reach(other._exponent)
        self._counts += _widened(other._counts, self._exponent - other._exponent)

    def _reach(self, exponent: int) -> None:
        """Widen the bins until they hold magnitudes below 2 to the power of `exponent`."""
        if exponent > self._exponent:
            self._counts = _widened(self._counts, exponent - self._exponent)
            self._exponent = exponent

    def magnitudes(self) -> Array:
        """Counts (bins) int64 of |x|, from 0 on."""
        counts = self._counts[self._bins - 1 :].copy()
        counts[1:] += self._counts[: self._bins - 1][::-1]
        return counts

    def points(self) -> tuple[Array, Array]:
        """The bins that hold something: their centres (float64), and their counts (int64)."""
        places = np.flatnonzero(self._counts)
        bins = places - (self._bins - 1)
        return (bins + 0.5 * np.sign(bins)) * self.width, self._counts[places]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Histogram)
            and self._exponent == other._exponent
            and bool(np.array_equal(self._counts, other._counts))
        )

    __hash__ = None  # pyright: ignore[reportAssignmentType]  (the data model's way: mutable)

    @property
    def nbytes(self) -> int:
        """Memory of the counts."""
        return self._counts.nbytes


def _widened(counts: Array, doublings: int) -> Array:
    """The counts in bins that are 2^doublings times as wide."""
    if doublings == 0 or not counts.any():
        return counts
    bins = (counts.size + 1) // 2
    places = np.flatnonzero(counts)
    old = places - (bins - 1)
    merged: Array = np.zeros_like(counts)
    shift = min(doublings, 62)
    np.add.at(merged, np.sign(old) * (np.abs(old) >> shift) + (bins - 1), counts[places])
    return merged


def bins_for(max_num_bin: int) -> int:
    """Bins of a histogram that has at most `max_num_bin` of them, both signs together."""
    most: Any = max(max_num_bin // 2, LEAST_BINS)
    return 1 << (int(most).bit_length() - 1)

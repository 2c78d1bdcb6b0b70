"""`kl`: the clip whose integers, as a distribution, tell the most about the float one.

For every clip of the histogram of magnitudes the distribution that remains (what is beyond the clip
falls into its last bin) is compared with what its integers can express: the Kullback-Leibler
divergence of the two, as in S. Migacz, "8-bit Inference with TensorRT", GTC 2017. Bin 0, which
integers express exactly where it holds zeros of a relu, counts like its neighbour, or nothing else
would matter.
"""

from __future__ import annotations

import numpy as np

from hbir.ir.types import Array
from hbir.quantization.methods.percentile import cut_at
from hbir.quantization.statistics import Range, TensorStatistics

NUM_BIN = 1024
"""Bins up to the largest magnitude, at least."""

SIGNED_LEVELS, MOST_LEVELS = 128, 255
"""Integers that share the magnitudes: with zero point 0, and of a range that has one sign."""

_COARSE_CANDIDATES = 96
_LEAST_PROBABILITY = 1e-9
"""What stands for 0 where integers can't express what is there."""


def kl_range(statistics: TensorStatistics, *, asymmetric: bool, num_bin: int = NUM_BIN) -> Range:
    """The range up to the clip of least divergence; clips are whole bins."""
    low, high = whole = statistics.largest()
    histogram = statistics.histogram
    largest = max(-low, high)
    if histogram is None or largest <= 0:
        return whole
    used = int(largest / histogram.width) + 1
    factor = max(used // num_bin, 1)
    counts = _coarser(histogram.magnitudes()[:used], factor)
    kept = least_divergence(counts, levels_of(whole, asymmetric=asymmetric))
    return whole if kept == counts.size else cut_at(whole, kept * factor * histogram.width)


def levels_of(whole: Range, *, asymmetric: bool) -> int:
    """The integers that the larger side of a range gets of 255."""
    if not asymmetric:
        return SIGNED_LEVELS
    low, high = min(whole[0], 0.0), max(whole[1], 0.0)
    share = max(-low, high) / (high - low)
    return min(max(round(MOST_LEVELS * share), SIGNED_LEVELS), MOST_LEVELS)


def least_divergence(counts: Array, levels: int) -> int:
    """How many bins to keep of a histogram of magnitudes: `levels` to all.

    Every so many bins first, then every bin around the best of those.
    """
    counts = counts.astype(np.float64)
    if counts.size <= levels:
        return counts.size
    counts[0] = counts[1]
    stride = max((counts.size - levels) // _COARSE_CANDIDATES, 1)
    coarse = np.array([*range(levels, counts.size, stride), counts.size])
    best = _least(coarse, divergences(counts, coarse, levels))
    around = np.arange(max(best - stride + 1, levels), min(best + stride, counts.size + 1))
    return _least(around, divergences(counts, around, levels))


def divergences(counts: Array, kept: Array, levels: int) -> Array:
    """For each clip, the divergence between the first `kept` of the counts (what is beyond counts
    with the last) and what `levels` integers express: each its share, evenly over the bins that
    hold something.

    With n a bin's count, N all counts, q what an integer gives each of its bins:
    Σ n/N·log(n/N / q), a sum over integers and over prefixes of the bins.
    """
    before, total = _sums_before(counts), counts.sum()
    starts = np.arange(levels + 1) * kept[:, None] // levels
    shares = np.diff(before[starts], axis=1)
    filled = np.diff(_sums_before(counts > 0)[starts], axis=1)
    inside = before[kept]
    with np.errstate(divide="ignore", invalid="ignore"):  # clips with nothing inside: inf below
        q = shares / np.maximum(filled, 1) / inside[:, None]
    logs = np.log(np.maximum(q, _LEAST_PROBABILITY))
    found = _sums_before(_times_log(counts, counts / total))[kept] - (shares * logs).sum(axis=1)
    # The last bin, which holds what is beyond, too; an integer expresses it where it isn't empty.
    own = counts[kept - 1]
    whole = own + (total - inside)
    last = np.where(own > 0, logs[:, -1], np.log(_LEAST_PROBABILITY))
    found += _times_log(whole, whole / total) - whole * last
    found -= _times_log(own, own / total) - own * last
    return np.where(inside > 0, found / total, np.inf)


def _sums_before(terms: Array) -> Array:
    """Entry k is the sum of the first k."""
    return np.append(0.0, np.cumsum(terms))


def _times_log(factors: Array, numbers: Array) -> Array:
    return factors * np.log(np.where(numbers > 0, numbers, 1.0))


def _least(candidates: Array, losses: Array) -> int:
    """The candidate of least loss, the largest of equal ones."""
    return int(candidates[losses == losses.min()].max())


def _coarser(counts: Array, factor: int) -> Array:
    padded = np.concatenate([counts, np.zeros(-counts.size % factor, counts.dtype)])
    return padded.reshape(-1, factor).sum(axis=1)

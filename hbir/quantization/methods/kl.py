"""`kl`: the clip whose integers, as a distribution, tell the most about the float one.

For every clip of the histogram of magnitudes the distribution that remains (what is beyond the clip
falls into its last bin) is compared with what its integers can express: the Kullback-Leibler
divergence of the two, as in S. Migacz, "8-bit Inference with TensorRT", GTC 2017. Bin 0, which
integers express exactly where it holds zeros of a relu, counts like its neighbour, or nothing else
would matter.
"""

from __future__ import annotations

from collections.abc import Callable

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
    coarse = [*range(levels, counts.size, stride), counts.size]
    best = _least(coarse, lambda kept: divergence(counts, kept, levels))
    around = range(max(best - stride + 1, levels), min(best + stride, counts.size + 1))
    return _least(around, lambda kept: divergence(counts, kept, levels))


def divergence(counts: Array, kept: int, levels: int) -> float:
    """The divergence between the first `kept` of the counts and what `levels` integers express."""
    inside = counts[:kept]
    wanted = inside.copy()
    wanted[-1] += counts[kept:].sum()
    starts = np.arange(levels) * kept // levels
    filled = inside > 0
    sums = np.add.reduceat(inside, starts)
    numbers = np.add.reduceat(filled.astype(np.float64), starts)
    lengths = np.diff(starts, append=kept)
    found = np.repeat(sums / np.maximum(numbers, 1), lengths) * filled
    if not found.any():
        return np.inf
    p = wanted / wanted.sum()
    q = np.maximum(found / found.sum(), _LEAST_PROBABILITY)
    some = p > 0
    return float((p[some] * np.log(p[some] / q[some])).sum())


def _least(candidates: range | list[int], loss: Callable[[int], float]) -> int:
    """The candidate of least loss, the largest of equal ones."""
    losses = [loss(candidate) for candidate in candidates]
    least = min(losses)
    return max(c for c, found in zip(candidates, losses, strict=True) if found == least)


def _coarser(counts: Array, factor: int) -> Array:
    padded = np.concatenate([counts, np.zeros(-counts.size % factor, counts.dtype)])
    return padded.reshape(-1, factor).sum(axis=1)

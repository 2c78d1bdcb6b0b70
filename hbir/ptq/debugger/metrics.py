"""How far a tensor is from what it should be: the metrics of the debugger.

Each takes the float array and the rounded one, any shape; it computes in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from hbir.errors import HbirError
from hbir.ir.types import Array

Metric: TypeAlias = Callable[[Array, Array], float]

COSINE = "cosine-similarity"


def _cosine(x: Array, y: Array) -> float:
    """Σxy / √(Σx²·Σy²); 1 where both are 0."""
    product = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / product if product > 0 else float(np.array_equal(x, y))


def _mse(x: Array, y: Array) -> float:
    """The mean of (x − y)²."""
    return float(np.mean(np.square(x - y)))


def _mae(x: Array, y: Array) -> float:
    """The mean of |x − y|."""
    return float(np.mean(np.abs(x - y)))


def _mre(x: Array, y: Array) -> float:
    """The mean of |x − y| / |x|, over the elements that aren't 0."""
    there = x != 0
    return float(np.mean(np.abs((x - y)[there] / x[there]))) if there.any() else 0.0


def _sqnr(x: Array, y: Array) -> float:
    """10·log10(Σx² / Σ(x − y)²), in decibels; infinite where they are equal."""
    noise = float(np.sum(np.square(x - y)))
    signal = float(x @ x)
    if noise == 0:
        return float("inf")
    return 10 * float(np.log10(signal / noise)) if signal > 0 else float("-inf")


def _chebyshev(x: Array, y: Array) -> float:
    """The largest |x − y|."""
    return float(np.max(np.abs(x - y), initial=0))


METRICS: dict[str, Metric] = {
    COSINE: _cosine,
    "mse": _mse,
    "mae": _mae,
    "mre": _mre,
    "sqnr": _sqnr,
    "chebyshev": _chebyshev,
}

LARGER_IS_CLOSER = frozenset({COSINE, "sqnr"})

UNITS = {"sqnr": "dB"}
"""The metrics that have one of their own; distances have the tensor's."""


def check_metrics(names: str | Sequence[str]) -> list[str]:
    """The names as a list. Raises HbirError for one that isn't in METRICS, and for none."""
    given = [names] if isinstance(names, str) else list(names)
    for name in given:
        if name not in METRICS:
            raise HbirError(f"there is no metric {name!r}; metrics are {', '.join(METRICS)}")
    if not given:
        raise HbirError(f"no metric is given; metrics are {', '.join(METRICS)}")
    return given


def measure(metric: str, wanted: Array, found: Array) -> float:
    """A metric of two arrays of one shape."""
    pair = [array.astype(np.float64).ravel() for array in (wanted, found)]
    return METRICS[metric](pair[0], pair[1])


def badness(metric: str, value: float) -> float:
    """A number that grows as arrays part, for sorting."""
    return -value if metric in LARGER_IS_CLOSER else value

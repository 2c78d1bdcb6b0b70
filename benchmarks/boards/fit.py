"""Least squares on the logarithm of times: what a march's unpublished numbers must be.

A prediction is split into parts along its critical path, each of which one number of the march
scales; `solve` finds the factors. They change what is critical, so predictions are played again
with them, until the factors stay near 1. Few and physical: nothing belongs to one network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy import optimize

from benchmarks.boards.measurements import Measurement
from benchmarks.boards.predict import PARTS, Prediction

Reals = npt.NDArray[np.float64]

FREE = ("tae", "vae", "trans", "ddr", "call")
"""Factors that are solved for: cycles per pass, vector and layout bytes per cycle, DDR bandwidth,
cost of a function call. AAE and latencies keep their published and assumed numbers."""

TIED = {"softmax": "vae"}
"""Parts that scale with another's number."""

PRIOR = {"tae": 0.1, "ddr": 0.1, "vae": 0.1, "trans": 0.3, "call": 0.3}
"""Weight of a factor's logarithm against a row's relative error: keeps numbers near where they
started that few rows depend on."""

PUBLISHED = {"nash-e": {"tae": 3.0, "ddr": 3.0}, "nash-m": {"tae": 3.0, "ddr": 3.0}}
"""Weights where other publications stand: the static ResNet-50 table, and the rate at which S100P
decodes language models."""

OUTLIER = 0.15
"""Relative error from which a row counts by its error, no longer by its square."""


@dataclass(frozen=True)
class Row:
    """A measurement and what is predicted of it."""

    measured: Measurement
    predicted: Prediction


def parts_of(rows: Sequence[Row]) -> Reals:
    """(rows, factors + 1) milliseconds that scale with each factor, and in the last column with
    none."""
    columns = {name: number for number, name in enumerate(FREE)}
    table = np.zeros((len(rows), len(FREE) + 1))
    for number, row in enumerate(rows):
        for part in PARTS:
            column = columns.get(TIED.get(part, part), len(FREE))
            table[number, column] += row.predicted.parts[part]
    return table


def solve(rows: Sequence[Row], measured_ms: Sequence[float]) -> dict[str, float]:
    """The factors that bring the predictions nearest to the measurements."""
    parts, measured = parts_of(rows), np.asarray(measured_ms)
    weights = PRIOR | PUBLISHED.get(rows[0].measured.march, {})
    prior = np.array([weights[name] for name in FREE])

    def residuals(logs: Reals) -> Reals:
        times = parts[:, :-1] @ np.exp(logs) + parts[:, -1]
        return np.concatenate([np.log(times / measured), prior * logs])

    found = cast(Any, optimize).least_squares(
        residuals, np.zeros(len(FREE)), bounds=(-2.0, 2.0), loss="soft_l1", f_scale=OUTLIER
    )
    return dict(zip(FREE, np.exp(np.asarray(found.x, np.float64)).tolist(), strict=True))


def tied(factors: Mapping[str, float]) -> dict[str, float]:
    """Factors of all parts that have one."""
    return {**factors, **{part: factors[of] for part, of in TIED.items()}}


@dataclass(frozen=True)
class Quality:
    """Errors of predictions: median and 90th percentile of |error|, rank correlation."""

    rows: int
    median: float
    percentile_90: float
    spearman: float


def quality(predicted: Sequence[float], measured: Sequence[float]) -> Quality:
    """How well predictions agree with measurements."""
    left, right = np.asarray(predicted), np.asarray(measured)
    errors = np.abs(left / right - 1.0)
    rank = _correlation(_ranks(left), _ranks(right))
    return Quality(len(left), float(np.median(errors)), float(np.percentile(errors, 90)), rank)


def _ranks(values: Reals) -> Reals:
    """Places in sorted order; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2.0)[inverse]


def _correlation(left: Reals, right: Reals) -> float:
    return float(np.corrcoef(left, right)[0, 1]) if len(left) > 1 else float("nan")


def launch_microseconds(rows: Sequence[Row]) -> float:
    """Median of a thread's latency less what the BPU takes alone, of rows with both."""
    gaps = [
        row.measured.latency_ms
        - row.predicted.alone_ms * row.measured.bpu_ms / row.predicted.bpu_ms
        for row in rows
        if row.measured.latency_ms and row.measured.bpu_ms
    ]
    return 1000.0 * float(np.median(gaps))

"""Least squares on the logarithm of times: what a march's unpublished numbers must be.

A prediction is split into parts along its critical path, each of which one number of the march
scales; `solve` finds the factors. They change what is critical, so predictions are played again
with them, until the factors stay near 1. Few and physical: nothing belongs to one network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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

PRIOR = {"tae": 0.1, "ddr": 0.1, "vae": 0.1, "trans": 0.3, "call": 0.3}
"""Weight of a factor's logarithm against a row's relative error: keeps numbers near where they
started that few rows depend on."""

PUBLISHED = {"nash-e": {"tae": 40.0, "ddr": 10.0}, "nash-m": {"tae": 40.0, "ddr": 10.0}}
"""Weights where other publications stand: the static ResNet-50 table, whose rows say the MAC rate
to a few percent, and the rate at which S100P decodes language models."""

BUSY = 1.2
"""Of a row whose threads keep a core busy: frames in flight times its time on the core, over the
latency of one frame."""

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
            column = columns.get(part, len(FREE))
            table[number, column] += row.predicted.parts[part]
    return table


def solve(
    rows: Sequence[Row], measured_ms: Sequence[float], launch_ms: Sequence[float]
) -> dict[str, float]:
    """The factors that bring the predictions nearest to the measurements.

    launch_ms: what the host adds to a frame of each row, which bounds the rate of few threads.
    Families count alike, however many sizes and tasks of a network were measured: their rows err
    alike, and it is networks of other families that are to be predicted.
    """
    parts, measured = parts_of(rows), np.asarray(measured_ms)
    launch = np.asarray(launch_ms)
    in_flight = np.array([row.measured.in_flight for row in rows])
    weights = PRIOR | PUBLISHED.get(rows[0].measured.march, {})
    prior = np.array([weights[name] for name in FREE])
    sizes = Counter(row.measured.family for row in rows)
    shares = np.array([sizes[row.measured.family] ** -0.5 for row in rows])
    shares *= np.sqrt(len(rows) / np.sum(shares**2))

    def residuals(logs: Reals) -> Reals:
        busy = parts[:, :-1] @ np.exp(logs) + parts[:, -1]
        times = np.maximum(busy, (busy + launch) / in_flight)
        return np.concatenate([shares * np.log(times / measured), prior * logs])

    found = cast(Any, optimize).least_squares(
        residuals, np.zeros(len(FREE)), bounds=(-2.0, 2.0), loss="soft_l1", f_scale=OUTLIER
    )
    return dict(zip(FREE, np.exp(np.asarray(found.x, np.float64)).tolist(), strict=True))


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


def launch_numbers(rows: Sequence[Row]) -> tuple[float, float]:
    """Microseconds of a launch, and GB/s at which it hands inputs and outputs over, besides.

    From a thread's latency less what the BPU takes alone, of rows where a core was kept busy.
    """
    used = [
        row
        for row in rows
        if row.measured.latency_ms
        and row.measured.bpu_ms
        and row.measured.in_flight * row.measured.bpu_ms > BUSY * row.measured.latency_ms
    ]
    # The measured rate says what this frame takes on the BPU better than the prediction does.
    gaps = np.array(
        [
            r.measured.latency_ms - r.predicted.alone_ms * r.measured.bpu_ms / r.predicted.bpu_ms
            for r in used
        ]
    )
    io_mb = np.array([row.predicted.io_bytes for row in used]) / 1e6

    def residuals(numbers: Reals) -> Reals:
        return np.concatenate([numbers[0] + numbers[1] * io_mb - gaps, [0.01 * numbers[1]]])

    found = cast(Any, optimize).least_squares(
        residuals, np.array([0.3, 0.02]), bounds=([0.0, 0.001], [2.0, 1.0]),
        loss="soft_l1", f_scale=0.03,
    )  # fmt: skip
    fixed, per_mb = np.asarray(found.x, np.float64).tolist()
    return 1000.0 * fixed, 1.0 / per_mb

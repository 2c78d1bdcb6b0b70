"""The numbers of tensors over all samples: range, spread, share of zeros, loss by rounding.

A sample leaves sums and counts of its numbers; those of all are merged, in the order of the
samples. So memory doesn't grow with their number, nor do results depend on the threads.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from hbir.errors import HbirError
from hbir.ir.types import Array
from hbir.ptq.debugger.calibrated import WEIGHT, CalibratedModel, ModelOrFile, Rounding
from hbir.ptq.debugger.calibrated import load_calibrated as load
from hbir.ptq.debugger.data import CalibratedData, samples_of
from hbir.ptq.debugger.metrics import COSINE
from hbir.ptq.debugger.pictures import figure, file_names, lines, save, title
from hbir.ptq.debugger.plot_distribution import DEFAULT_FOLDER, form_text, watch
from hbir.ptq.debugger.tables import number_text, save_table
from hbir.ptq.display import Display, Silent
from hbir.quantization.histogram import Histogram
from hbir.quantization.work import in_order

FOLDER = "tensor_analysis"
PERCENTILES = (0.01, 99.99)
COLUMNS = ("min", "max", "mean", "std", "p0.01", "p99.99", "zeros", COSINE, "sqnr")

PERCENTILE_BINS = 1 << 14
"""Bins of a magnitude: a percentile is off by at most 2^-13 of the largest magnitude."""


def tensor_analysis(
    model_or_file: ModelOrFile,
    calibration_data: CalibratedData,
    node_names: str | Sequence[str],
    save_dir: str | os.PathLike[str] = DEFAULT_FOLDER,
    num_processes: int = 16,
    *,
    display: Display | None = None,
) -> dict[str, dict[str, float]]:
    """Tensor → statistic → its value over all samples.

    Tensors and weights are those of the given nodes. Statistics: extremes, mean, standard
    deviation, the percentiles 0.01 and 99.99 (exact to `PERCENTILE_BINS`), the share of zeros, and
    how close its rounded values are: cosine, and sqnr in dB. Writes `tensor_analysis/`:
    `statistics.log`, and a picture per tensor of its range over the samples. num_processes: samples
    that are run at a time. display: shows how far it is. Raises HbirError for unknown names, and
    without matplotlib.
    """
    if num_processes < 1:
        raise HbirError(f"num_processes must be at least 1, got {num_processes}")
    shown: Display = display if display is not None else Silent()
    model = load(model_or_file, shown)
    steps = {step for its_steps in model.chosen(node_names).values() for step in its_steps}
    of_inputs = {step for step in steps if model.rounding(step).kind != WEIGHT}
    samples = samples_of(model, calibration_data)
    items = ((inputs, of_inputs if index else steps) for index, inputs in enumerate(samples))
    over_samples: dict[Rounding, list[_Statistics]] = {}
    total: dict[Rounding, _Statistics] = {}
    with ThreadPoolExecutor(min(num_processes, len(samples))) as pool:
        found = in_order(partial(_statistics, model), items, pool)
        for one in shown.each("tensor statistics", found, len(samples)):
            for rounding, statistics in one.items():
                total.setdefault(rounding, _Statistics()).merge(statistics)
                statistics.histogram = None
                over_samples.setdefault(rounding, []).append(statistics)
    values = {rounding: statistics.values() for rounding, statistics in total.items()}
    folder = Path(save_dir) / FOLDER
    names = _names(total)
    files = file_names(names.values())
    for rounding in shown.each("pictures", total, len(total)):
        _draw(folder / f"{files[names[rounding]]}.png", rounding, over_samples[rounding])
    rows = [
        [names[rounding], rounding.dtype, *(number_text(of[column]) for column in COLUMNS)]
        for rounding, of in values.items()
    ]
    what = f"tensors over {len(samples)} samples"
    save_table(folder / "statistics.log", what, ["tensor", "dtype", *COLUMNS], rows)
    return {names[rounding]: of for rounding, of in values.items()}


def _names(roundings: Iterable[Rounding]) -> dict[Rounding, str]:
    """The tensors' names; where one is rounded twice, the second time its calibration node's."""
    found: dict[Rounding, str] = {}
    for rounding in roundings:
        found[rounding] = rounding.node if rounding.name in found.values() else rounding.name
    return found


@dataclass
class _Statistics:
    """Numbers of a tensor before rounding (x) and after (y), which add up over its parts."""

    count: int = 0
    zeros: int = 0
    low: float = np.inf
    high: float = -np.inf
    mean: float = 0.0
    squares: float = 0.0
    """Σ(x − mean)²."""
    xy: float = 0.0
    xx: float = 0.0
    yy: float = 0.0
    noise: float = 0.0
    """Σ(x − y)²."""
    histogram: Histogram | None = field(default_factory=lambda: Histogram(PERCENTILE_BINS))

    @classmethod
    def of(cls, before: Array, after: Array) -> _Statistics:
        """Those of one pair of arrays."""
        x, y = before.ravel().astype(np.float64), after.ravel().astype(np.float64)
        mean, low, high = float(x.mean()), float(x.min()), float(x.max())
        zeros, noise = x.size - int(np.count_nonzero(x)), x - y
        found = cls(x.size, zeros, low, high, mean, float(np.square(x - mean).sum()))
        found.xy, found.xx, found.yy = float(x @ y), float(x @ x), float(y @ y)
        found.noise = float(noise @ noise)
        if found.histogram is not None:
            found.histogram.observe(x, low, high)
        return found

    def merge(self, other: _Statistics) -> None:
        """Add what `other` has seen (mean and squares as Chan, Golub and LeVeque do)."""
        count, apart = self.count + other.count, other.mean - self.mean
        self.squares += other.squares + apart * apart * self.count * other.count / count
        self.mean += apart * other.count / count
        self.count, self.zeros = count, self.zeros + other.zeros
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.xy, self.xx, self.yy = self.xy + other.xy, self.xx + other.xx, self.yy + other.yy
        self.noise += other.noise
        if self.histogram is not None and other.histogram is not None:
            self.histogram.merge(other.histogram)

    def values(self) -> dict[str, float]:
        """The statistics by their columns."""
        length = float(np.sqrt(self.xx) * np.sqrt(self.yy))
        cosine = self.xy / length if length > 0 else float(self.xx == self.yy)
        found = [self.low, self.high, self.mean, float(np.sqrt(self.squares / self.count))]
        found += [self._percentile(share / 100) for share in PERCENTILES]
        found += [self.zeros / self.count, cosine, self._sqnr()]
        return dict(zip(COLUMNS, found, strict=True))

    def _sqnr(self) -> float:
        if self.noise == 0:
            return float("inf")
        return 10 * float(np.log10(self.xx / self.noise)) if self.xx > 0 else float("-inf")

    def _percentile(self, share: float) -> float:
        """The least number that at least `share` of all reach up to, to the width of a bin."""
        assert self.histogram is not None, "only parts that are merged give theirs away"
        centres, counts = self.histogram.points()
        place = np.searchsorted(np.cumsum(counts), share * self.count)
        centre = float(centres[min(int(place), len(centres) - 1)])
        return min(max(centre, self.low), self.high)


def _statistics(
    model: CalibratedModel, item: tuple[Sequence[Array], set[int]]
) -> dict[Rounding, _Statistics]:
    inputs, steps = item
    found: dict[Rounding, _Statistics] = {}

    def see(rounding: Rounding, before: Array, after: Array) -> None:
        found[rounding] = _Statistics.of(before, after)

    watch(model, steps, inputs, see)
    return found


def _draw(path: Path, rounding: Rounding, over_samples: Sequence[_Statistics]) -> None:
    drawn, (axes,) = figure()
    of_samples = {
        "max": [statistics.high for statistics in over_samples],
        "mean": [statistics.mean for statistics in over_samples],
        "min": [statistics.low for statistics in over_samples],
    }
    lines(axes, of_samples, "sample")
    title(axes, rounding.name, f"{form_text(rounding)}; range in the float network over samples")
    save(drawn, path)

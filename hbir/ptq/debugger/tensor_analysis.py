"""The numbers of tensors over all samples: range, spread, share of zeros, loss by rounding."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from hbir.errors import HbirError
from hbir.ir.types import Array
from hbir.ptq.debugger.calibrated import ModelOrFile, load_calibrated
from hbir.ptq.debugger.data import CalibratedData, samples_of
from hbir.ptq.debugger.metrics import COSINE, measure
from hbir.ptq.debugger.pictures import curves, figure, file_name, save
from hbir.ptq.debugger.plot_distribution import DEFAULT_FOLDER, rounded_arrays
from hbir.ptq.debugger.tables import number_text, save_table

FOLDER = "tensor_analysis"
COLUMNS = ("min", "max", "mean", "std", "p0.01", "p99.99", "zeros", COSINE, "sqnr")


def tensor_analysis(
    model_or_file: ModelOrFile,
    calibration_data: CalibratedData,
    node_names: str | Sequence[str],
    save_dir: str | os.PathLike[str] = DEFAULT_FOLDER,
    num_processes: int = 16,
) -> dict[str, dict[str, float]]:
    """Tensor → statistic → its value over all samples.

    Tensors and weights are those of the given nodes. Statistics: extremes, mean, standard
    deviation, the percentiles 0.01 and 99.99, the share of zeros, and how close its rounded values
    are. Writes `tensor_analysis/`: `statistics.log`, and a picture per tensor of its range over the
    samples. num_processes: samples that are run at a time. Raises HbirError for unknown names, and
    without matplotlib.
    """
    if num_processes < 1:
        raise HbirError(f"num_processes must be at least 1, got {num_processes}")
    model = load_calibrated(model_or_file)
    chosen = model.chosen([node_names] if isinstance(node_names, str) else node_names)
    steps = list(dict.fromkeys(step for its_steps in chosen.values() for step in its_steps))
    samples = samples_of(model, calibration_data)
    with ThreadPoolExecutor(min(num_processes, len(samples))) as pool:
        runs = list(pool.map(partial(rounded_arrays, model, steps), [[s] for s in samples]))
    folder = Path(save_dir) / FOLDER
    found: dict[str, dict[str, float]] = {}
    for step in steps:
        rounding = model.rounding(step)
        pairs = [run[step] for run in (runs[:1] if rounding.kind == "weight" else runs)]
        found[rounding.name] = _statistics(
            np.concatenate([before.ravel() for before, _ in pairs]),
            np.concatenate([after.ravel() for _, after in pairs]),
        )
        _draw(folder, rounding.name, [before for before, _ in pairs])
    rows = [
        [name, *(number_text(values[column]) for column in COLUMNS)]
        for name, values in found.items()
    ]
    save_table(folder / "statistics.log", "tensors", ["tensor", *COLUMNS], rows)
    return found


def _statistics(before: Array, after: Array) -> dict[str, float]:
    values: list[Any] = [before.min(), before.max()]
    values += [before.mean(dtype=np.float64), before.std(dtype=np.float64)]
    values += list(np.percentile(before, (0.01, 99.99)))
    values.append(1 - np.count_nonzero(before) / before.size)
    values += [measure(metric, before, after) for metric in (COSINE, "sqnr")]
    return {column: float(value) for column, value in zip(COLUMNS, values, strict=True)}


def _draw(folder: Path, name: str, arrays: Sequence[Array]) -> None:
    drawn, (axes,) = figure()
    lines = {
        "max": [float(array.max()) for array in arrays],
        "mean": [float(array.mean()) for array in arrays],
        "min": [float(array.min()) for array in arrays],
    }
    curves(axes, [str(index) for index in range(len(arrays))], lines, "value")
    axes.set_title(name)
    axes.set_xlabel("sample")
    save(drawn, folder / f"{file_name(name)}.png")

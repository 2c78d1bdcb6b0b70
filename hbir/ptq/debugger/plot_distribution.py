"""How the numbers of weights and tensors lie, before rounding and after."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hbir.ir.types import Array
from hbir.ptq.debugger.calibrated import CalibratedModel, ModelOrFile, load_calibrated
from hbir.ptq.debugger.data import CalibratedData, samples_of
from hbir.ptq.debugger.pictures import figure, file_name, histogram, save

FOLDER = "data_distribution"
DEFAULT_FOLDER = "./debug_result/"


def plot_distribution(
    model_or_file: ModelOrFile,
    calibrated_data: CalibratedData,
    nodes_list: str | Sequence[str],
    save_dir: str | os.PathLike[str] = DEFAULT_FOLDER,
) -> list[Path]:
    """A histogram per node of nodes_list, in `data_distribution/`; returns the files.

    A calibration node shows its tensor in the float network and rounded; any other node all of the
    tensors and weights that it reads. The first sample is shown. Raises HbirError for unknown
    names, and without matplotlib.
    """
    model = load_calibrated(model_or_file)
    chosen = model.chosen([nodes_list] if isinstance(nodes_list, str) else nodes_list)
    samples = samples_of(model, calibrated_data, 1)
    steps = [step for name in chosen for step in chosen[name]]
    arrays = rounded_arrays(model, steps, samples)
    files: list[Path] = []
    for name, its_steps in chosen.items():
        drawn, axes = figure(len(its_steps))
        for ax, step in zip(axes, its_steps, strict=True):
            rounding = model.rounding(step)
            histogram(ax, f"{rounding.name} ({rounding.kind})", *arrays[step])
        files.append(save(drawn, Path(save_dir) / FOLDER / f"{file_name(name)}.png"))
    return files


def rounded_arrays(
    model: CalibratedModel, steps: Sequence[int], samples: Sequence[Sequence[Array]]
) -> dict[int, tuple[Array, Array]]:
    """Step of a rounding → what it reads in the float network and what it makes of that.

    The samples stand one after the other along the first axis; weights are there once.
    """
    found: dict[int, list[tuple[Array, Array]]] = {step: [] for step in steps}
    for inputs in samples:
        values = model.plan.start(inputs)
        for number in range(len(model.plan.ops)):
            if number in found:
                (source,), (result,) = model.plan.slots(number)
                before, alone = values[source], list(values)
                model.advance(alone, number, (number,))
                after = alone[result]
                if before is not None and after is not None:
                    found[number].append((before, after))
            model.advance(values, number, ())
    return {step: _joined(model, step, pairs) for step, pairs in found.items()}


def _joined(
    model: CalibratedModel, step: int, pairs: Sequence[tuple[Array, Array]]
) -> tuple[Array, Array]:
    if model.rounding(step).kind == "weight":
        return pairs[0]
    before, after = zip(*pairs, strict=True)
    return np.concatenate(before), np.concatenate(after)

"""How the numbers of weights and tensors lie, before rounding and after."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from hbir.ir.types import Array
from hbir.ptq.debugger.calibrated import (
    CalibratedModel,
    ModelOrFile,
    Rounding,
    load_calibrated,
)
from hbir.ptq.debugger.data import CalibratedData, samples_of
from hbir.ptq.debugger.metrics import COSINE, measure
from hbir.ptq.debugger.pictures import figure, file_names, histogram, save, title
from hbir.ptq.debugger.tables import number_text
from hbir.ptq.display import Display, Silent

FOLDER = "data_distribution"
DEFAULT_FOLDER = "./debug_result/"

Seen: TypeAlias = Callable[[Rounding, Array, Array], None]
"""Called with a rounding, what it reads in the float network and what it makes of that."""


def plot_distribution(
    model_or_file: ModelOrFile,
    calibrated_data: CalibratedData,
    nodes_list: str | Sequence[str],
    save_dir: str | os.PathLike[str] = DEFAULT_FOLDER,
    *,
    display: Display | None = None,
) -> list[Path]:
    """A histogram per node of nodes_list, in `data_distribution/`; returns the files.

    A calibration node shows its tensor in the float network and rounded; any other node all of the
    tensors and weights that it reads; `weight` and `activation` are all of these, a picture each.
    The first sample is shown. display: shows how far it is. Raises HbirError for unknown names, and
    without matplotlib.
    """
    shown: Display = display if display is not None else Silent()
    model = load_calibrated(model_or_file, shown)
    chosen = model.each_chosen(nodes_list)
    with shown.stage("run"):
        arrays = rounded_arrays(model, chosen, calibrated_data)
    names = file_names(chosen)
    files: list[Path] = []
    for name in shown.each("distributions", chosen, len(chosen)):
        drawn, axes = figure(len(chosen[name]))
        for ax, step in zip(axes, chosen[name], strict=True):
            rounding, (before, after) = model.rounding(step), arrays[step]
            cosine = number_text(measure(COSINE, before, after))
            histogram(ax, before, after, rounding.dtype, rounding.scale, rounding.limits)
            title(ax, rounding.name, f"{form_text(rounding)}; cosine {cosine}")
        files.append(save(drawn, Path(save_dir) / FOLDER / f"{names[name]}.png"))
    return files


def form_text(rounding: Rounding) -> str:
    """What a rounding is, as pictures say it."""
    text = f"{rounding.kind}, {rounding.dtype}"
    if rounding.axis is not None:
        return f"{text} with a scale per channel"
    return text if rounding.scale is None else f"{text} in steps of {rounding.scale:.4g}"


def rounded_arrays(
    model: CalibratedModel, chosen: dict[str, tuple[int, ...]], data: CalibratedData
) -> dict[int, tuple[Array, Array]]:
    """Step of a chosen rounding → what it reads in the float network and what it makes of that,
    on the first sample."""
    steps = {step for its_steps in chosen.values() for step in its_steps}
    found: dict[int, tuple[Array, Array]] = {}

    def keep(rounding: Rounding, before: Array, after: Array) -> None:
        found[rounding.step] = (before, after)

    for inputs in samples_of(model, data, 1):
        watch(model, steps, inputs, keep)
    return found


def watch(model: CalibratedModel, steps: set[int], inputs: Sequence[Array], seen: Seen) -> None:
    """Show `seen` what the roundings of `steps` do in the float network, one after the other.

    No array is kept once its last reader is through.
    """
    values = model.plan.start(inputs)
    for number in range(max(steps, default=-1) + 1):
        if number in steps:
            (source,), (result,) = model.plan.slots(number)
            before, alone = values[source], list(values)
            model.advance(alone, number, (number,))
            after = alone[result]
            assert before is not None, "a step's operands are there when it is its turn"
            assert after is not None, "its result has a reader"
            seen(model.rounding(number), before, after)
        model.advance(values, number, ())

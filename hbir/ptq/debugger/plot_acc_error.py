"""How the error grows from node to node, with all or some of the network rounded."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np

from hbir.errors import HbirError
from hbir.ptq.debugger.calibrated import ACTIVATION, WEIGHT, CalibratedModel, ModelOrFile
from hbir.ptq.debugger.calibrated import load_calibrated as load
from hbir.ptq.debugger.data import CalibratedData, Samples, samples_of
from hbir.ptq.debugger.metrics import COSINE, check_metrics, measure
from hbir.ptq.debugger.pictures import curves, figure, save, title
from hbir.ptq.debugger.plot_distribution import DEFAULT_FOLDER
from hbir.ptq.debugger.tables import number_text, save_table
from hbir.ptq.display import Display, Silent

FOLDER = "accumulate_error"

NodeGroups: TypeAlias = "str | Sequence[str] | Sequence[Sequence[str]] | None"
"""Nodes of one curve, or several lists of nodes, a curve each."""


def plot_acc_error(
    calibrated_data: CalibratedData,
    model_or_file: ModelOrFile,
    quantize_node: NodeGroups = None,
    non_quantize_node: NodeGroups = None,
    metric: str = COSINE,
    average_mode: bool = False,
    save_dir: str | os.PathLike[str] = DEFAULT_FOLDER,
    *,
    display: Display | None = None,
) -> dict[str, dict[str, float]]:
    """Curve → node → the metric between the node's result there and in the float network.

    quantize_node: only these are rounded (`weight`, `activation`, nodes, calibration nodes);
    non_quantize_node: all but these, which can't be `weight` or `activation`. Each may be a list of
    lists, a curve each; without either, one curve with everything rounded. average_mode: a point is
    the mean of the metric over the nodes up to it. Averaged over all samples, which pass one at a
    time. Writes `accumulate_error/` with a picture and a table of the same numbers. display: shows
    how far it is. Raises HbirError for unknown names, for both lists at once, and without
    matplotlib.
    """
    (name,) = check_metrics(metric)
    if quantize_node and non_quantize_node:
        raise HbirError("give either quantize_node or non_quantize_node, not both")
    shown: Display = display if display is not None else Silent()
    model = load(model_or_file, shown)
    groups = _curves(model, quantize_node, non_quantize_node)
    samples = samples_of(model, calibrated_data)
    found = _errors(model, groups, samples, name, shown)
    if average_mode:
        found = {label: _running_means(values) for label, values in found.items()}
    detail = f"{len(samples)} {'samples' if len(samples) > 1 else 'sample'}"
    _save(Path(save_dir) / FOLDER, found, name, detail, average_mode=average_mode)
    return found


def _curves(
    model: CalibratedModel, quantize: NodeGroups, not_quantize: NodeGroups
) -> dict[str, frozenset[int]]:
    every = frozenset(rounding.step for rounding in model.roundings)
    if not quantize and not not_quantize:
        return {"all quantized": every}
    if quantize:
        return {f"only {', '.join(g)}": _steps(model, g) for g in _groups(quantize)}
    groups = _groups(not_quantize)
    if any(name in (WEIGHT, ACTIVATION) for group in groups for name in group):
        raise HbirError(
            f"non_quantize_node takes names of nodes; for all weights or activations use"
            f" quantize_node {WEIGHT!r} or {ACTIVATION!r}"
        )
    return {f"all but {', '.join(g)}": every - _steps(model, g) for g in groups}


def _groups(given: NodeGroups) -> list[list[str]]:
    if given is None:
        return []
    if isinstance(given, str):
        return [[given]]
    if all(isinstance(entry, str) for entry in given):
        return [cast(list[str], list(given))]
    return [[entry] if isinstance(entry, str) else list(entry) for entry in given]


def _steps(model: CalibratedModel, names: Sequence[str]) -> frozenset[int]:
    return frozenset(step for steps in model.chosen(names).values() for step in steps)


def _errors(
    model: CalibratedModel,
    groups: Mapping[str, frozenset[int]],
    samples: Samples,
    metric: str,
    display: Display,
) -> dict[str, dict[str, float]]:
    """Curve → node, in the order of the network, → the metric, averaged over samples.

    The float network and the curves go through a sample together, step by step, so that no more
    than what each of them still needs is held.
    """
    order = sorted(model.results, key=lambda node: model.results[node][0])
    sums = {label: dict.fromkeys(order, 0.0) for label in groups}
    at_step: dict[int, list[str]] = {}
    for node in order:
        at_step.setdefault(model.results[node][0], []).append(node)
    for inputs in display.each("accumulated error", samples, len(samples)):
        exact = model.plan.start(inputs)
        rounded = {label: list(exact) for label in groups}
        for number in range(len(model.plan.ops)):
            # A result that dies with its own step is one that nothing reads.
            model.advance(exact, number, ())
            for label, active in groups.items():
                model.advance(rounded[label], number, active)
            for node in at_step.get(number, ()):
                slot = model.results[node][1]
                wanted = exact[slot]
                for label in groups:
                    found = rounded[label][slot]
                    if wanted is not None and found is not None:
                        sums[label][node] += measure(metric, wanted, found)
    return {
        label: {node: total / len(samples) for node, total in values.items()}
        for label, values in sums.items()
    }


def _running_means(values: Mapping[str, float]) -> dict[str, float]:
    means = np.cumsum(list(values.values())) / np.arange(1, len(values) + 1)
    return dict(zip(values, map(float, means), strict=True))


def _save(
    folder: Path,
    found: Mapping[str, Mapping[str, float]],
    metric: str,
    detail: str,
    *,
    average_mode: bool,
) -> None:
    names = list(next(iter(found.values())))
    what = f"{metric} (mean so far)" if average_mode else metric
    rows = [[node, *(number_text(values[node]) for values in found.values())] for node in names]
    save_table(folder / f"{metric}.log", f"accumulated error, {what}", ["node", *found], rows)
    drawn, (axes,) = figure(names=len(names))
    lines = {label: list(values.values()) for label, values in found.items()}
    curves(axes, names, lines, metric, "node, in the order in which the network computes them")
    if average_mode:
        detail += "; a point is the mean over the nodes up to it"
    if len(found) == 1:
        detail = f"{next(iter(found))}; {detail}"
    title(axes, "Accumulated error: each node's result beside the float network's", detail)
    save(drawn, folder / f"{metric}.png")

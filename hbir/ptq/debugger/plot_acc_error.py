"""How the error grows from node to node, with all or some of the network rounded."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np

from hbir.errors import HbirError
from hbir.ir.types import Array
from hbir.ptq.debugger.calibrated import ACTIVATION, WEIGHT, CalibratedModel, ModelOrFile
from hbir.ptq.debugger.calibrated import load_calibrated as load
from hbir.ptq.debugger.data import CalibratedData, samples_of
from hbir.ptq.debugger.metrics import COSINE, check_metrics, measure
from hbir.ptq.debugger.pictures import curves, figure, save
from hbir.ptq.debugger.plot_distribution import DEFAULT_FOLDER
from hbir.ptq.debugger.tables import number_text, save_table

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
) -> dict[str, dict[str, float]]:
    """Curve → node → the metric between the node's result there and in the float network.

    quantize_node: only these are rounded (`weight`, `activation`, nodes, calibration nodes);
    non_quantize_node: all but these, which can't be `weight` or `activation`. Each may be a list of
    lists, a curve each; without either, one curve with everything rounded. average_mode: a point is
    the mean of the metric over the nodes up to it. Averaged over the samples. Writes
    `accumulate_error/` with a picture and a table of the same numbers. Raises HbirError for unknown
    names, for both lists at once, and without matplotlib.
    """
    (name,) = check_metrics(metric)
    if quantize_node and non_quantize_node:
        raise HbirError("give either quantize_node or non_quantize_node, not both")
    model = load(model_or_file)
    groups = _curves(model, quantize_node, non_quantize_node)
    samples = samples_of(model, calibrated_data)
    found = {label: _errors(model, active, samples, name) for label, active in groups.items()}
    if average_mode:
        found = {label: _running_means(values) for label, values in found.items()}
    _save(Path(save_dir) / FOLDER, found, name, average_mode=average_mode)
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
    model: CalibratedModel, active: frozenset[int], samples: Sequence[Sequence[Array]], metric: str
) -> dict[str, float]:
    """Node, in the order of the network, → the metric, averaged over samples."""
    places = {node: (step, slot) for node, (step, slot) in model.results.items()}
    order = sorted(places, key=lambda node: places[node][0])
    sums = dict.fromkeys(order, 0.0)
    at_step: dict[int, list[str]] = {}
    for node in order:
        at_step.setdefault(places[node][0], []).append(node)
    for inputs in samples:
        exact, rounded = model.plan.start(inputs), model.plan.start(inputs)
        for number in range(len(model.plan.ops)):
            # A result that dies with its own step is one that nothing reads.
            model.advance(exact, number, ())
            model.advance(rounded, number, active)
            for node in at_step.get(number, ()):
                wanted, found = exact[places[node][1]], rounded[places[node][1]]
                if wanted is not None and found is not None:
                    sums[node] += measure(metric, wanted, found)
    return {node: total / len(samples) for node, total in sums.items()}


def _running_means(values: Mapping[str, float]) -> dict[str, float]:
    means = np.cumsum(list(values.values())) / np.arange(1, len(values) + 1)
    return dict(zip(values, map(float, means), strict=True))


def _save(
    folder: Path, found: Mapping[str, Mapping[str, float]], metric: str, *, average_mode: bool
) -> None:
    names = list(next(iter(found.values())))
    what = f"{metric} (mean so far)" if average_mode else metric
    rows = [[node, *(number_text(values[node]) for values in found.values())] for node in names]
    save_table(folder / f"{metric}.log", f"accumulated error, {what}", ["node", *found], rows)
    drawn, (axes,) = figure()
    curves(axes, names, {label: list(values.values()) for label, values in found.items()}, what)
    axes.set_title("error from node to node")
    save(drawn, folder / f"{metric}.png")

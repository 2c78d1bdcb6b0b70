"""What rounding one node, or one weight or tensor, costs at the network's output."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from hbir.errors import HbirError
from hbir.ir.types import Array
from hbir.ptq.debugger.calibrated import (
    ACTIVATION,
    WEIGHT,
    CalibratedModel,
    ModelOrFile,
    load_calibrated,
)
from hbir.ptq.debugger.data import CalibratedData, Samples, samples_of
from hbir.ptq.debugger.metrics import COSINE, badness, check_metrics, measure
from hbir.ptq.debugger.tables import number_text, save_table
from hbir.ptq.display import Display, Silent

FOLDER = "node_sensitivity"
NODE = "node"
NODE_TYPES = (NODE, WEIGHT, ACTIVATION)

Sensitivities = dict[str, dict[str, float]]
"""Node → metric → what it is with that node alone rounded."""


def get_sensitivity_of_nodes(
    model_or_file: ModelOrFile,
    metrics: str | Sequence[str] = COSINE,
    calibrated_data: CalibratedData = None,
    output_node: str | None = None,
    node_type: str = NODE,
    data_num: int | None = 1,
    verbose: bool = False,
    interested_nodes: str | Sequence[str] | None = None,
    save_dir: str | os.PathLike[str] | None = None,
    *,
    display: Display | None = None,
) -> dict[str, dict[str, str]]:
    """Node → metric → its value, as text, the most sensitive by the first metric first.

    Each node (or, with node_type `weight` or `activation`, each calibration node) is rounded alone,
    and the outputs, or output_node's result, are compared with the float network's: the worst of
    several outputs, averaged over the first data_num samples. interested_nodes: only these, which
    makes node_type `node`. save_dir: writes `node_sensitivity/sensitivity_of_<node_type>.log`
    there; verbose logs the table, and writes it to `.` without a save_dir. display: shows how far
    it is. Raises HbirError for unknown names, and for data that don't fit.
    """
    names = check_metrics(metrics)
    if node_type not in NODE_TYPES:
        raise HbirError(f"node_type must be one of {', '.join(NODE_TYPES)}, got {node_type!r}")
    shown: Display = display if display is not None else Silent()
    model = load_calibrated(model_or_file, shown)
    if interested_nodes is not None:
        node_type, candidates = NODE, model.chosen(interested_nodes)
    else:
        candidates = model.nodes if node_type == NODE else model.of_kind(node_type)
    samples = samples_of(model, calibrated_data, data_num)
    what = f"{node_type} sensitivity"
    found = sensitivities(model, candidates, samples, names, output_node, what=what, display=shown)
    text = {
        node: {metric: number_text(value) for metric, value in values.items()}
        for node, values in found.items()
    }
    if save_dir is not None or verbose:
        folder = Path("." if save_dir is None else save_dir) / FOLDER
        rows = [[node, *values.values()] for node, values in text.items()]
        save_table(
            folder / f"sensitivity_of_{node_type}.log",
            what,
            [node_type, *names],
            rows,
            verbose=verbose,
        )
    return text


def sensitivities(
    model: CalibratedModel,
    candidates: Mapping[str, tuple[int, ...]],
    samples: Samples,
    metrics: Sequence[str],
    output_node: str | None = None,
    *,
    what: str,
    display: Display,
) -> Sensitivities:
    """The metrics with each candidate alone rounded, the worst by the first metric first.

    candidates: name → the steps of its roundings. what: is measured, as the display calls it.
    """
    slots = model.output_slots if output_node is None else (model.output_of(output_node)[1],)
    sums = {name: np.zeros(len(metrics)) for name in candidates}
    measured = (
        pair for inputs in samples for pair in _measured(model, candidates, inputs, metrics, slots)
    )
    for name, values in display.each(what, measured, len(samples) * len(candidates)):
        sums[name] += values
    values_of = {
        name: dict(zip(metrics, (float(v) for v in total / len(samples)), strict=True))
        for name, total in sums.items()
    }
    first = metrics[0]
    order = sorted(values_of, key=lambda name: -badness(first, values_of[name][first]))
    return {name: values_of[name] for name in order}


def _measured(
    model: CalibratedModel,
    candidates: Mapping[str, tuple[int, ...]],
    inputs: Sequence[Array],
    metrics: Sequence[str],
    slots: Sequence[int],
) -> Iterator[tuple[str, list[float]]]:
    """Each candidate's metrics on one sample, in the order of the network."""
    firsts: dict[int, list[str]] = {}
    for name, steps in candidates.items():
        firsts.setdefault(min(steps), []).append(name)
    wanted = model.run(inputs, (), slots)
    values = model.plan.start(inputs)
    for number in range(max(firsts, default=-1) + 1):
        for name in firsts.get(number, ()):
            # What the float network has computed so far is the same.
            found = model.resume(values, number, candidates[name], slots)
            found.update({slot: wanted[slot] for slot in slots if slot not in found})
            yield name, [_worst(metric, wanted, found) for metric in metrics]
        model.advance(values, number, ())


def _worst(metric: str, wanted: Mapping[int, Array], found: Mapping[int, Array]) -> float:
    values = [measure(metric, array, found[slot]) for slot, array in wanted.items()]
    return max(values, key=lambda value: badness(metric, value))

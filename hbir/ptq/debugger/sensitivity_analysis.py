"""What taking the most sensitive nodes out of quantization gives back, one after the other."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hbir.errors import HbirError
from hbir.ir.function import return_of
from hbir.ir.origin import name_of
from hbir.ir.types import Array
from hbir.ptq.debugger.calibrated import (
    ACTIVATION,
    CalibratedModel,
    ModelOrFile,
    load_calibrated,
)
from hbir.ptq.debugger.data import CalibratedData, Samples, samples_of
from hbir.ptq.debugger.get_sensitivity_of_nodes import sensitivities
from hbir.ptq.debugger.metrics import COSINE, badness, check_metrics, measure
from hbir.ptq.debugger.pictures import curves, figure, file_names, save, title
from hbir.ptq.debugger.plot_distribution import DEFAULT_FOLDER
from hbir.ptq.debugger.tables import number_text, save_table
from hbir.ptq.display import Display, Silent

FOLDER = "sensitivity_analysis"
QTYPES = ("float32", "int16")
NOTHING = "all quantized"


@dataclass(frozen=True)
class Analysis:
    """sensitive: node → metric with it alone rounded, worst first. recovered: number of nodes that
    have `qtype`, with their names so far → output → the metric of the whole network."""

    sensitive: dict[str, float]
    recovered: dict[str, dict[str, float]]


def sensitivity_analysis(
    model_or_file: ModelOrFile,
    calibrated_data: CalibratedData,
    metric: str = COSINE,
    pick_threshold: float = 0.999,
    data_num: int | None = 1,
    sensitive_nodes: str | Sequence[str] | None = None,
    qtype: str = "float32",
    output_separated: bool = False,
    save_dir: str | os.PathLike[str] = DEFAULT_FOLDER,
    *,
    display: Display | None = None,
) -> Analysis:
    """Which nodes are sensitive, and how close to float the network comes without their rounding.

    Sensitive are the nodes whose metric, rounded alone, is worse than pick_threshold; or those
    given. From the worst on, one more at a time gets qtype: `float32`, not rounded, or `int16`,
    which is what it is in a `quant_config`: what a node reads has 16 bits, its weights stay at 8
    (but weights that are named themselves). output_separated: each output by itself, else the
    worst. Writes `sensitivity_analysis/`: the picture(s) and the same numbers as a table. display:
    shows how far it is. Raises HbirError for unknown names and qtypes, and without matplotlib.
    """
    (name,) = check_metrics(metric)
    if qtype not in QTYPES:
        raise HbirError(f"qtype must be one of {', '.join(QTYPES)}, got {qtype!r}")
    shown: Display = display if display is not None else Silent()
    model = load_calibrated(model_or_file, shown)
    samples = samples_of(model, calibrated_data, data_num)
    candidates = model.chosen(sensitive_nodes) if sensitive_nodes else model.nodes
    found = sensitivities(
        model, candidates, samples, [name], what="node sensitivity", display=shown
    )
    sensitive = {
        node: values[name]
        for node, values in found.items()
        if sensitive_nodes or badness(name, values[name]) > badness(name, pick_threshold)
    }
    freed = {node: _freed(model, candidates[node], qtype) for node in sensitive}
    recovered = _recovered(model, freed, samples, name, qtype, shown)
    if not output_separated:
        recovered = {
            step: {"output": max(values.values(), key=lambda v: badness(name, v))}
            for step, values in recovered.items()
        }
    detail = f"{len(sensitive)} of {len(candidates)} nodes are sensitive"
    if not sensitive:
        detail = f"none of {len(candidates)} nodes, rounded alone, is worse than {pick_threshold:g}"
    _save(Path(save_dir) / FOLDER, recovered, name, qtype, detail)
    return Analysis(sensitive, recovered)


def _freed(model: CalibratedModel, steps: tuple[int, ...], qtype: str) -> tuple[int, ...]:
    """The roundings of a node that change with its type."""
    if qtype != "int16":
        return steps
    read = tuple(step for step in steps if model.rounding(step).kind == ACTIVATION)
    return read or steps


def _recovered(
    model: CalibratedModel,
    freed: Mapping[str, tuple[int, ...]],
    samples: Samples,
    metric: str,
    qtype: str,
    display: Display,
) -> dict[str, dict[str, float]]:
    """Node that is freed, too → output → the metric of the whole network, averaged."""
    every = frozenset(rounding.step for rounding in model.roundings)
    names = [name_of(value, "output") for value in return_of(model.function.op).operands]
    labels = (NOTHING, *freed)
    sums = {label: dict.fromkeys(names, 0.0) for label in labels}
    pairs = ((inputs, label) for inputs in samples for label in labels)
    wanted: dict[int, Array] = {}
    free: set[int] = set()
    for inputs, label in display.each("recovery", pairs, len(samples) * len(labels)):
        if label == NOTHING:
            free = set()
            wanted = model.run(inputs, (), model.output_slots)
        free.update(freed.get(label, ()))
        active = every if qtype == "int16" else every - free
        given = model.run(inputs, active, model.output_slots, wider=free)
        for output, slot in zip(names, model.output_slots, strict=True):
            sums[label][output] += measure(metric, wanted[slot], given[slot])
    return {
        label: {output: total / len(samples) for output, total in values.items()}
        for label, values in sums.items()
    }


def _save(
    folder: Path,
    recovered: Mapping[str, Mapping[str, float]],
    metric: str,
    qtype: str,
    detail: str,
) -> None:
    outputs = list(next(iter(recovered.values())))
    rows = [
        [step, *(number_text(value) for value in values.values())]
        for step, values in recovered.items()
    ]
    text = f"{metric} with one more node in {qtype} each line"
    save_table(folder / "sensitive_nodes.log", text, [f"and in {qtype}", *outputs], rows)
    names = file_names(outputs)
    for output in outputs:
        drawn, (axes,) = figure(names=len(recovered))
        line = [values[output] for values in recovered.values()]
        curves(axes, list(recovered), {output: line}, metric, f"… and this node in {qtype}, too")
        what = "Network" if len(outputs) == 1 else f"Output {output}"
        title(axes, f"{what} with sensitive nodes in {qtype}, one more at each point", detail)
        save(drawn, folder / f"{names[output]}.png")

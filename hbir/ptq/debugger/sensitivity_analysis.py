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
from hbir.ptq.debugger.calibrated import CalibratedModel, ModelOrFile, load_calibrated
from hbir.ptq.debugger.data import CalibratedData, samples_of
from hbir.ptq.debugger.get_sensitivity_of_nodes import sensitivities
from hbir.ptq.debugger.metrics import COSINE, badness, check_metrics, measure
from hbir.ptq.debugger.pictures import curves, figure, file_name, save
from hbir.ptq.debugger.plot_distribution import DEFAULT_FOLDER
from hbir.ptq.debugger.tables import number_text, save_table

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
) -> Analysis:
    """Which nodes are sensitive, and how close to float the network comes without their rounding.

    Sensitive are the nodes whose metric, rounded alone, is worse than pick_threshold; or those
    given. From the worst on, one more at a time gets qtype: `float32`, not rounded, or `int16`.
    output_separated: each output by itself, else the worst. Writes `sensitivity_analysis/`: the
    picture(s) and the same numbers as a table. Raises HbirError for unknown names and qtypes, and
    without matplotlib.
    """
    (name,) = check_metrics(metric)
    if qtype not in QTYPES:
        raise HbirError(f"qtype must be one of {', '.join(QTYPES)}, got {qtype!r}")
    model = load_calibrated(model_or_file)
    samples = samples_of(model, calibrated_data, data_num)
    candidates = model.nodes
    if sensitive_nodes:
        given = [sensitive_nodes] if isinstance(sensitive_nodes, str) else sensitive_nodes
        candidates = model.chosen(given)
    found = sensitivities(model, candidates, samples, [name])
    sensitive = {
        node: values[name]
        for node, values in found.items()
        if sensitive_nodes or badness(name, values[name]) > badness(name, pick_threshold)
    }
    recovered = _recovered(model, sensitive, candidates, samples, name, qtype)
    if not output_separated:
        recovered = {
            step: {"output": max(values.values(), key=lambda v: badness(name, v))}
            for step, values in recovered.items()
        }
    _save(Path(save_dir) / FOLDER, recovered, name, qtype)
    return Analysis(sensitive, recovered)


def _recovered(
    model: CalibratedModel,
    sensitive: Mapping[str, float],
    candidates: Mapping[str, tuple[int, ...]],
    samples: Sequence[Sequence[Array]],
    metric: str,
    qtype: str,
) -> dict[str, dict[str, float]]:
    every = frozenset(rounding.step for rounding in model.roundings)
    names = [name_of(value, "output") for value in return_of(model.function.op).operands]
    freed: set[int] = set()
    found: dict[str, dict[str, float]] = {}
    for label in (NOTHING, *sensitive):
        freed.update(candidates.get(label, ()))
        active = every if qtype == "int16" else every - freed
        sums = dict.fromkeys(names, 0.0)
        for inputs in samples:
            wanted = model.run(inputs, (), model.output_slots)
            given = model.run(inputs, active, model.output_slots, wider=freed)
            for output, slot in zip(names, model.output_slots, strict=True):
                sums[output] += measure(metric, wanted[slot], given[slot])
        found[label] = {output: total / len(samples) for output, total in sums.items()}
    return found


def _save(
    folder: Path, recovered: Mapping[str, Mapping[str, float]], metric: str, qtype: str
) -> None:
    outputs = list(next(iter(recovered.values())))
    rows = [
        [step, *(number_text(value) for value in values.values())]
        for step, values in recovered.items()
    ]
    title = f"{metric} with one more node in {qtype} each line"
    save_table(folder / "sensitive_nodes.log", title, [f"and in {qtype}", *outputs], rows)
    for output in outputs:
        drawn, (axes,) = figure()
        line = [values[output] for values in recovered.values()]
        curves(axes, list(recovered), {output: line}, metric)
        axes.set_title(f"sensitive nodes in {qtype}, one more at each step")
        save(drawn, folder / f"{file_name(output)}.png")

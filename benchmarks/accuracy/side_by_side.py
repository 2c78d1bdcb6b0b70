"""Every real model by float, onnxruntime's static quantization, hbir at int8, hbir automatic.

A row per model. What is known of a model is kept in a file of build/accuracy, so that a run that
was interrupted goes on where it stopped; delete the file to measure again. Two ways to quantize
are a tie when the 95 % interval of their difference, by 2000 resamplings of the samples, holds 0.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

import hbir
import hbir.onnx
from benchmarks.accuracy import onnxruntime_int8
from benchmarks.accuracy.case import Array, Case, Feed, Score
from benchmarks.accuracy.cases import CASES
from benchmarks.accuracy.outputs import outputs_cosine
from hbir.ptq.quant_config import settings_from
from hbir.ptq.quantize import quantize
from hbir.quantization.predicted_time import layer_times
from tests.models.float_reference import FloatReference
from tests.models.packages import ModelMissing

Run = Callable[[Feed], Feed]
Row = dict[str, Any]

FOLDER = Path("build/accuracy")
MARCH = "nash-e"
TARGET = 0.995
RESAMPLINGS = 2000
POINTS = 0.003
"""How far below float's a metric with labels may be."""

SYMMETRIC = {
    "model_config": {
        "activation": {
            "calibration_type": ["max", "kl", "mse"],
            "max_percentile": [0.99995, 1.0, 0.9999, 0.99999],
            "per_channel": [False, True],
            "asymmetric": False,
        },
        "search": {"threshold": 1.0},
    }
}
"""hbir's search with zero points of 0, as onnxruntime's S8S8 has them, to its end: of onnxruntime,
too, the best of all counts."""

INT8_SYMMETRIC, INT8, AUTOMATIC, ALL_INT16 = (
    "hbir int8 symmetric", "hbir int8", "hbir automatic", "hbir all int16",
)  # fmt: skip


def measure(name: str) -> Row:
    """A model's row, from its file as far as it is there."""
    path = FOLDER / f"{name}.json"
    row: Row = json.loads(path.read_text()) if path.is_file() else {}
    case: Case | None = None

    def known(key: str, find: Callable[[Case], Row]) -> None:
        nonlocal case
        if key in row:
            return
        case = case or CASES[name]()
        start = time.monotonic()
        row[key] = find(case)
        row[key]["seconds"] = round(time.monotonic() - start)
        FOLDER.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(row))
        shown = {k: v for k, v in row[key].items() if k != "scores"}
        print(f"{name}, {key}: {shown}", file=sys.stderr, flush=True)

    known("float", lambda c: judged(c, FloatReference(c.model)))
    for activations in onnxruntime_int8.ACTIVATIONS:
        for calibrator in onnxruntime_int8.CALIBRATORS:
            known(
                f"onnxruntime {activations} {calibrator}",
                lambda c, a=activations, m=calibrator: by_onnxruntime(c, m, a),
            )
    known(INT8_SYMMETRIC, lambda c: by_hbir(c, SYMMETRIC))
    known(INT8, lambda c: by_hbir(c, {}))
    # The search for ranges is the same, so what it found for int8 is where int16 starts.
    known(AUTOMATIC, lambda c: by_hbir(c, widening(row[INT8]["activation"])))
    known(ALL_INT16, all_int16_time)
    return row


def widening(activation: dict[str, Any]) -> dict[str, Any]:
    """The config of automatic; the target is a little above what is asked of unseen data."""
    return {"model_config": {"activation": activation, "search": {"target": TARGET + 0.001}}}


def by_onnxruntime(case: Case, calibrator: str, activations: str) -> Row:
    """What onnxruntime makes of a case; its error where it gives none."""
    try:
        model = onnxruntime_int8.quantized(case.model, case.calibration, calibrator, activations)
        return judged(case, FloatReference(model))
    except Exception as error:  # whatever it raises is its result
        return {"error": str(error).splitlines()[0][:200]}


def by_hbir(case: Case, config: dict[str, Any]) -> Row:
    """What hbir makes of a case by a quant_config."""
    module = hbir.onnx.export(case.model)
    result = quantize(module, case.calibration, settings_from(config))
    row = judged(case, hbir.convert(result.module, MARCH).functions[0].feed)
    row["method"] = result.method
    row["activation"] = result.config["model_config"]["activation"]
    if result.choice is not None:
        row["us_before"], row["us"] = result.choice.us_before, result.choice.us
        row["wide"] = len(result.choice.chosen)
    return row


def all_int16_time(case: Case) -> Row:
    """The predicted µs of all layers with every tensor and weight at int16."""
    module = hbir.onnx.export(case.model)
    calibrated = hbir.calibrate(module, case.calibration[:1], dtype="int16")
    return {"us": sum(layer_times(hbir.convert(calibrated, MARCH)).values())}


def judged(case: Case, run: Run) -> Row:
    """The metric, the cosine to float over all samples (of several outputs the least), and each
    sample's score."""
    reference = FloatReference(case.model)
    scores: list[Score] = []
    all_wanted: list[Feed] = []
    all_found: list[Feed] = []
    for number, feed in enumerate(case.evaluation):
        wanted, found = reference(feed), run(feed)
        scores.append(case.score(number, _first(wanted), _first(found)))
        all_wanted.append(wanted)
        all_found.append(found)
    return {
        "what": case.metric,
        "labelled": case.labelled,
        "metric": quotient(scores),
        "cosine": outputs_cosine(all_wanted, all_found),
        "scores": scores,
    }


def _first(outputs: Feed) -> Array:
    return next(iter(outputs.values()))


def quotient(scores: Sequence[Score]) -> float:
    """The metric of scores."""
    sums = np.sum(np.asarray(scores, np.float64), axis=0)
    return float(sums[0] / sums[1])


def difference(ours: Sequence[Score], theirs: Sequence[Score]) -> tuple[float, float]:
    """The 95 % interval of ours − theirs, by paired resampling."""
    a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    places = np.random.default_rng(0).integers(len(a), size=(RESAMPLINGS, len(a)))
    found = [
        array[places][:, :, 0].sum(axis=1) / array[places][:, :, 1].sum(axis=1) for array in (a, b)
    ]
    low, high = np.quantile(found[0] - found[1], [0.025, 0.975])
    return float(low), float(high)


def best_of_onnxruntime(row: Row, activations: str) -> tuple[str, Row] | None:
    """The calibrator with the best metric, and its part of the row; None where all failed."""
    found = [
        (calibrator, row[f"onnxruntime {activations} {calibrator}"])
        for calibrator in onnxruntime_int8.CALIBRATORS
    ]
    valid = [(name, part) for name, part in found if "metric" in part]
    return max(valid, key=lambda item: item[1]["metric"], default=None)


def verdict(ours: Row, theirs: Row) -> str:
    """better, tie or worse."""
    low, high = difference(ours["scores"], theirs["scores"])
    return "better" if low > 0 else "worse" if high < 0 else "tie"


def close_to_float(automatic: Row, reference: Row) -> bool:
    """Whether the cosine reaches the target, or, where labels exist, the metric float's."""
    near = reference["metric"] - automatic["metric"] <= POINTS
    return automatic["cosine"] >= TARGET or (reference["labelled"] and near)


COLUMNS = (
    "model", "metric", "float", "onnxruntime S8S8", "hbir int8 symmetric", "against S8S8",
    "onnxruntime U8S8", "hbir int8", "against U8S8", "hbir automatic", "close to float",
    "its int16", "all int16",
)  # fmt: skip


def table(names: Sequence[str] | None = None) -> Table:
    """The table; measures what isn't known yet."""
    result = Table(*COLUMNS, title=f"metric (cosine to float), {MARCH}")
    for row in _rows(names):
        result.add_row(*row)
    return result


def markdown(names: Sequence[str] | None = None) -> str:
    """The table as docs/accuracy.md has it."""
    rows = [COLUMNS, ["---"] * len(COLUMNS), *_rows(names)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _rows(names: Sequence[str] | None) -> Iterator[Sequence[str]]:
    """A row for each model whose package is installed; what to install for the others is said."""
    logging.getLogger("hbir").setLevel(logging.ERROR)
    for name in names or CASES:
        try:
            yield _cells(name)
        except ModelMissing as error:
            print(f"{name} is left out: {error}", file=sys.stderr, flush=True)


def _cells(name: str) -> list[str]:
    row = measure(name)
    s8s8, u8s8 = (best_of_onnxruntime(row, a) for a in onnxruntime_int8.ACTIVATIONS)
    symmetric, int8, automatic = (row[key] for key in (INT8_SYMMETRIC, INT8, AUTOMATIC))
    return [
        name,
        row["float"]["what"],
        f"{row['float']['metric']:.4f}",
        _theirs(s8s8),
        _cell(symmetric),
        verdict(symmetric, s8s8[1]) if s8s8 is not None else "--",
        _theirs(u8s8),
        _cell(int8),
        verdict(int8, u8s8[1]) if u8s8 is not None else "--",
        _cell(automatic),
        "yes" if close_to_float(automatic, row["float"]) else "no",
        f"{automatic['wide']} tensors, {_more(automatic['us'], automatic)}",
        _more(row[ALL_INT16]["us"], automatic),
    ]


def _cell(part: Row) -> str:
    return f"{part['metric']:.4f} ({part['cosine']:.4f})"


def _more(us: float, automatic: Row) -> str:
    """How much longer than with int8."""
    return f"+{100 * (us / automatic['us_before'] - 1):.1f} % time"


def _theirs(found: tuple[str, Row] | None) -> str:
    return "fails" if found is None else f"{_cell(found[1])} {found[0]}"

"""`hb_analyzer analyze`: from a .hbm, a performance JSON or an .onnx to a summary and a page."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import hbir
from hbir.backend.march import load_march
from hbir.backend.timeline import play
from hbir.errors import HbirError
from hbir.files import read_json, write_file
from hbir.hbm import Hbm
from hbir.module import Module
from hbir.ptq.calibration_data import random_data
from hbir.ptq.display import Display, Silent
from hbir.reports.analysis import analysis_summary
from hbir.reports.analysis_page import analysis_page
from hbir.reports.perf import report_stem
from hbir.reports.performance import Json, performance_report

LOG = logging.getLogger("hbir.ptq")

FOLDER = ".hb_analyzer"
SUMMARY, PAGE = "analysis_summary.json", "hb_analyzer_report.html"

BESIDE = ("_quantized_removed_model.bc", "_quantized_model.bc")
"""What hb_compile calls the quantized module of a .hbm, which knows the layers' shapes."""


@dataclass(frozen=True)
class Analysis:
    """The summary, and where it was written."""

    summary: Json
    folder: Path


def analyze(
    model: str | os.PathLike[str] | None = None,
    march: str | None = None,
    perf: str | os.PathLike[str] | None = None,
    folder: str | os.PathLike[str] = FOLDER,
    *,
    display: Display | None = None,
) -> Analysis:
    """Look at a compiled model: where its time goes, and which of the published rules it breaks.

    model: a .hbm (its quantized .bc beside it is read too), or an .onnx, which is calibrated on
    made-up data and compiled for `march`. perf: a performance JSON instead. Writes into `folder`
    `<graph>.json` (the performance), `analysis_summary.json` and `hb_analyzer_report.html`.
    display: shows how far it is. Raises HbirError for files that can't be read, and for an .onnx
    without a march.
    """
    if (model is None) == (perf is None):
        raise HbirError("give either a model (-m/--model) or a performance JSON (--perf)")
    shown: Display = display if display is not None else Silent()
    out = Path(folder)
    if perf is not None:
        path = Path(perf)
        name, report, module = path.stem, _read_report(path), None
    else:
        path = Path(os.fspath(model or ""))
        hbm, module = _compiled(path, march, out, shown)
        with shown.stage("perf"):
            name, report = _report(hbm)
    with shown.stage("analyze"):
        summary = analysis_summary(report, module)
    make_folder(out)
    texts = {
        f"{report_stem(name)}.json": _json(report),
        SUMMARY: _json(summary),
        PAGE: analysis_page(f"{name}: analysis", summary),
    }
    for file, text in texts.items():
        write_file(out / file, text.encode())
        LOG.info("%s: written", out / file)
    return Analysis(summary, out)


def make_folder(folder: Path) -> None:
    """Make a folder with its parents. Raises HbirError where that can't be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HbirError(f"{folder}: can't be made ({error.strerror})") from None


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _compiled(
    path: Path, march: str | None, out: Path, display: Display
) -> tuple[Hbm, Module | None]:
    if path.suffix == ".hbm":
        with display.stage("read"):
            return Hbm(path), _module_beside(path)
    if path.suffix != ".onnx":
        raise HbirError(f"{path}: expected a .hbm or an .onnx (a performance JSON goes by --perf)")
    if march is None:
        raise HbirError(f"{path}: an .onnx is compiled for a march; give --march, such as nash-e")
    import hbir.onnx

    with display.stage("read"):
        module = hbir.onnx.export(path)
    if module.level == "float":
        LOG.info("%s: calibrated on made-up data, which is enough for its time", path)
        with display.stage("calibrate"):
            module = hbir.calibrate(module, random_data(module.functions[0].flatten_inputs))
    with display.stage("convert"):
        quantized = hbir.convert(module, march)
    make_folder(out)
    with display.stage("compile"):
        return hbir.compile(quantized, out / f"{path.stem}.hbm"), quantized


def _module_beside(path: Path) -> Module | None:
    for suffix in BESIDE:
        file = path.with_name(path.stem + suffix)
        if file.exists():
            LOG.info("%s: read for shapes", file)
            return hbir.load(file)
    LOG.info(
        "%s: no %s beside it, so rules on shapes aren't looked at", path, path.stem + BESIDE[-1]
    )
    return None


def _report(hbm: Hbm) -> tuple[str, Json]:
    """The first graph's name and performance."""
    machine, graph = load_march(hbm.march_name), hbm.graphs[0]
    if len(hbm.graphs) > 1:
        LOG.warning("%s is the first of %d graphs; the others aren't", graph.name, len(hbm.graphs))
    timeline = play(machine, hbm.program, graph.program)
    return graph.name, performance_report(machine, hbm.program, graph.program, timeline)


_NEEDED = ("performance", "DDR access data", "interval info", "layer details", "model info")


def _read_report(path: Path) -> Json:
    loaded = read_json(path)
    report = cast(Json, loaded) if isinstance(loaded, dict) else {}
    summary: Any = report.get("summary")
    missing = [key for key in _NEEDED if not isinstance(summary, dict) or key not in summary]
    if missing:
        raise HbirError(
            f'{path}: no performance JSON, it has no "summary" with "{missing[0]}"; hbm_perf writes'
            " one per graph"
        )
    return report

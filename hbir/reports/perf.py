"""`hbm_perf`: the static performance of a compiled model, printed and written as files."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

from hbir.backend.march import load_march
from hbir.backend.timeline import play
from hbir.errors import HbirError
from hbir.files import write_file
from hbir.hbm import Hbm
from hbir.reports.layer_table import print_layer_table
from hbir.reports.page import report_page
from hbir.reports.performance import Json, performance_report
from hbir.reports.trace import trace


def hbm_perf(
    model: Hbm | str | os.PathLike[str], output_dir: str | os.PathLike[str] | None = None
) -> int:
    """Print each graph's FPS, latency, DDR volume and layers; 0 is ok.

    Writes `<graph>.json` (the published keys), `<graph>.html` (a page that needs no network) and
    `<graph>.trace.json` (for Perfetto).

    model: an `Hbm`, or the path of a .hbm. output_dir: the working directory by default.
    Raises HbirError for a file that can't be read or written.
    """
    hbm = model if isinstance(model, Hbm) else Hbm(model)
    folder = Path(output_dir) if output_dir is not None else Path()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HbirError(f"{folder}: can't be made ({error.strerror})") from None
    machine = load_march(hbm.program.march)
    for graph in hbm.program.graphs:
        timeline = play(machine, hbm.program, graph)
        report = performance_report(machine, hbm.program, graph, timeline)
        _print(graph.name, report)
        texts = {
            ".json": json.dumps(report, indent=1, ensure_ascii=False) + "\n",
            ".html": report_page(machine, hbm.program, graph, timeline, report),
            ".trace.json": trace(machine, hbm.program, graph, timeline),
        }
        stem = report_stem(graph.name)
        for suffix, text in texts.items():
            file = folder / f"{stem}{suffix}"
            write_file(file, text.encode())
            _say(f"{file}: written")
    _say("HBDK hbm perf SUCCESS")
    return 0


def report_stem(graph: str) -> str:
    """What the names of a graph's files begin with: its own, but for what files can't be called."""
    return re.sub(r"[^A-Za-z0-9_.+-]", "_", graph)


def _print(name: str, report: Json) -> None:
    summary = report["summary"]
    performance, ddr = summary["performance"], summary["DDR access data"]
    print_layer_table(f"graph {name}", summary["layer details"], sys.stdout)
    _say(f"FPS: {performance['FPS']:.2f}")
    _say(
        f"latency: {performance['latency (ms)']:.3f} ms"
        f" (a launch adds {performance['launch overhead (us)'] / 1000:.3f} ms)"
    )
    _say(
        f"DDR: {ddr['DDR megabytes per run']:.3f} MB per run"
        f" (loaded {ddr['loaded bytes per run']}, stored {ddr['stored bytes per run']} bytes)"
    )
    origins = summary["model info"]["march numbers"]
    _say(
        f"march {summary['model info']['BPU march']}: {origins['published']} numbers published,"
        f" {origins['fitted']} fitted, {origins['assumed']} assumed"
    )
    if summary["model info"]["cpu ops"]:
        _say(f"on the CPU, not timed: {', '.join(summary['model info']['cpu ops'])}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")

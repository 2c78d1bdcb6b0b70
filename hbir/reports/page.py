"""The HTML report of a graph: one self-contained page, which opens without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from bokeh.resources import Resources
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hbir.backend.isa.program import Graph, Program
from hbir.backend.march import Machine
from hbir.backend.timeline import Timeline
from hbir.reports.layer_table import COLUMNS
from hbir.reports.performance import Json
from hbir.reports.plots import (
    bandwidth_plot,
    embed,
    engine_plot,
    memory_plot,
    roofline_plot,
    time_axis,
)
from hbir.reports.roofline import roof_of, roofline_points

TEMPLATES = Path(__file__).with_name("templates")

SORT_KEYS = {
    "computing cost (no DDR)": "computing cost (us)",
    "load cost": "load cost (us)",
    "store cost": "store cost (us)",
    "active period of time": "active period start (us)",
}
"""Columns of text → the number that they are sorted by."""


def report_page(
    machine: Machine, program: Program, graph: Graph, timeline: Timeline, report: Json
) -> str:
    """The page of one graph. report: its `performance_report`."""
    layers: list[Json] = report["summary"]["layer details"]
    names = [layer["layer name"] for layer in layers] or [""]
    operations = [layer["ops"] for layer in layers]
    roof = roof_of(machine, program.cores)
    points = roofline_points(machine, graph, timeline, operations)
    axis = time_axis(machine, timeline)
    script, plots = embed(
        {
            "engines": engine_plot(machine, program, timeline, names, axis),
            "bandwidth": bandwidth_plot(machine, timeline, axis),
            "memory": memory_plot(machine, program, graph, timeline, names, axis),
            "roofline": roofline_plot(roof, points, names),
        }
    )
    return (
        environment()
        .get_template("report.html")
        .render(
            title=f"{graph.name} on {machine.name}",
            summary=_summary(machine, report),
            sections=_sections(report),
            columns=[(heading, heading != "layer") for heading in COLUMNS],
            rows=[_row(layer) for layer in layers],
            cpu_ops=report["summary"]["model info"]["cpu ops"],
            plots=plots,
            script=script,
            resources=Resources(mode="inline", components=["bokeh"]).render(),
        )
    )


def environment() -> Environment:
    """The templates, strict about what they are given."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


def _summary(machine: Machine, report: Json) -> list[tuple[str, str]]:
    performance, ddr = report["summary"]["performance"], report["summary"]["DDR access data"]
    information = report["summary"]["model info"]
    return [
        ("FPS", f"{performance['FPS']:.2f}"),
        ("latency", f"{performance['latency (ms)']:.3f} ms"),
        ("launch overhead", f"{performance['launch overhead (us)'] / 1000:.3f} ms"),
        ("DDR per run", f"{ddr['DDR megabytes per run']:.3f} MB"),
        ("DDR bandwidth", f"{machine.ddr.bandwidth_gb_per_s:g} GB/s"),
        ("march", f"{information['BPU march']}, {information['BPU core number']} core(s)"),
    ]


def _sections(report: Json) -> list[tuple[str, list[tuple[str, str]]]]:
    """Headings with the plain values of the JSON below them."""
    summary = report["summary"]
    return [
        (title, [(key, _text(value)) for key, value in summary[key_of].items()])
        for title, key_of in (("Memory and DDR", "DDR access data"), ("Model", "model info"))
    ]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{n} {key}" for key, n in cast(Json, value).items())
    if isinstance(value, list):
        return ", ".join(map(str, cast(list[Any], value))) or "none"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _row(layer: Json) -> list[tuple[str, Any]]:
    """(text, what it is sorted by) per column."""
    return [(str(layer[key]), layer[SORT_KEYS.get(key, key)]) for key in COLUMNS.values()]

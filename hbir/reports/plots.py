"""The plots of the HTML report, by Bokeh: engines, DDR and memory over one time axis; the roofline.

Bokeh draws on a canvas, so tens of thousands of instructions zoom smoothly, and it embeds its own
script: a page needs no network.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import numpy as np
from bokeh.embed import components
from bokeh.models import ColumnDataSource, HoverTool, Range1d, WheelZoomTool
from bokeh.palettes import Category10, Category20
from bokeh.plotting import figure

from hbir.backend.isa.enums import Engine
from hbir.backend.isa.program import Graph, Program
from hbir.backend.isa.table import BY_NUMBER
from hbir.backend.march import Machine
from hbir.backend.timeline import Timeline
from hbir.reports.bandwidth import bandwidth_steps
from hbir.reports.memory_map import memory_map
from hbir.reports.roofline import Roof, RooflinePoint

_Range1d: Any = Range1d
Figure: TypeAlias = Any
"""Bokeh's models are typed by its own property system, which type checkers can't follow."""

WIDTH, LANE_HEIGHT, BORDER = 1060, 34, 80
BANDWIDTH_INTERVALS = 400
ENGINE_COLORS = dict(zip(Engine, Category10[10], strict=False))
TOOLS = "xpan,xbox_zoom,xwheel_zoom,reset,save"


def time_axis(machine: Machine, timeline: Timeline) -> Any:
    """The x range, in µs, that the plots over time share: zooming one zooms all."""
    end = max(machine.microseconds(timeline.cycles), 1e-3)
    return _Range1d(start=0, end=end, bounds=(0, end))


def engine_plot(
    machine: Machine, program: Program, timeline: Timeline, names: list[str], axis: Any
) -> Figure:
    """A lane per core and engine, a bar per instruction."""
    rows = timeline.instructions
    present = [e for e in Engine if (rows["engine"] == int(e)).any()]
    lanes = [_lane(core, e, program.cores) for core in range(program.cores) for e in present]
    plot = _figure(
        "Engines: every instruction", axis, LANE_HEIGHT * len(lanes) + 90, y_range=lanes[::-1]
    )
    scale = machine.microseconds(1.0)
    engines = [Engine(e) for e in rows["engine"].tolist()]
    layers, opcodes = rows["layer"].tolist(), rows["opcode"].tolist()
    source = ColumnDataSource(
        {
            "lane": [
                _lane(core, e, program.cores)
                for core, e in zip(rows["core"].tolist(), engines, strict=True)
            ],
            "left": _rounded(rows["start"] * scale),
            "right": _rounded(rows["end"] * scale),
            "time": _rounded((rows["end"] - rows["start"]) * scale),
            "color": [ENGINE_COLORS[e] for e in engines],
            "layer": [names[layer] for layer in layers],
            "opcode": [BY_NUMBER[opcode].mnemonic for opcode in opcodes],
            "bytes": rows["ddr_bytes"].tolist(),
        }
    )
    bars = plot.hbar(
        y="lane", left="left", right="right", height=0.8, fill_color="color",
        line_color="white", line_width=0.5, source=source,
    )  # fmt: skip
    _hover(
        plot,
        bars,
        {
            "instruction": "@opcode",
            "layer": "@layer",
            "start": "@left µs",
            "takes": "@time µs",
            "DDR bytes": "@bytes",
        },
    )
    return plot


def bandwidth_plot(machine: Machine, timeline: Timeline, axis: Any) -> Figure:
    """What LOAD and STORE move per second, averaged over intervals, beside what the DDR can."""
    steps = bandwidth_steps(machine, timeline).averaged(
        machine.microseconds(timeline.cycles), BANDWIDTH_INTERVALS
    )
    peak = machine.ddr.bandwidth_gb_per_s
    plot = _figure("DDR bandwidth (GB/s)", axis, 190, y_range=(0, 1.1 * peak))
    loads, both = _rounded(steps.load), _rounded(steps.load + steps.store)
    left, right = _rounded(steps.time_us), _rounded(steps.end_us)
    for name, bottom, top, engine in (
        ("load", 0, loads, Engine.LOAD),
        ("store", loads, both, Engine.STORE),
    ):
        plot.quad(
            left=left, right=right, bottom=bottom, top=top, legend_label=name,
            fill_color=ENGINE_COLORS[engine], line_color=None,
        )  # fmt: skip
    plot.hspan(y=peak, line_color="grey", line_dash="dashed")
    plot.legend.orientation = "horizontal"
    plot.legend.location = "top_right"
    return plot


def memory_plot(
    machine: Machine,
    program: Program,
    graph: Graph,
    timeline: Timeline,
    names: list[str],
    axis: Any,
) -> Figure:
    """On-chip addresses over time; cores and memories stand one above the other."""
    residents = memory_map(program, graph, timeline)
    l1, l2 = machine.memory.l1_bytes, machine.memory.l2_bytes
    floor = {("l1", core): core * l1 for core in range(program.cores)}
    floor["l2", -1] = program.cores * l1
    used_l2 = any(resident.space == "l2" for resident in residents)
    top = program.cores * l1 + (l2 if used_l2 else 0)
    plot = _figure("On-chip memory (KiB)", axis, 320, y_range=(0, top / 1024))
    scale = machine.microseconds(1.0)
    bases = np.array([floor[r.space, r.core] + r.base for r in residents], np.float64)
    sizes = np.array([r.size_bytes for r in residents], np.float64)
    source = ColumnDataSource(
        {
            "left": _rounded(np.array([r.start for r in residents]) * scale),
            "right": _rounded(np.array([r.end for r in residents]) * scale),
            "bottom": _rounded(bases / 1024),
            "top": _rounded((bases + sizes) / 1024),
            "color": [Category20[20][r.layer % 20] for r in residents],
            "layer": [names[r.layer] for r in residents],
            "memory": [r.space + (f" of core {r.core}" if r.core >= 0 else "") for r in residents],
            "base": [r.base for r in residents],
            "bytes": [r.size_bytes for r in residents],
        }
    )
    boxes = plot.quad(
        left="left", right="right", bottom="bottom", top="top", fill_color="color",
        fill_alpha=0.75, line_color="white", line_width=0.4, source=source,
    )  # fmt: skip
    _hover(
        plot,
        boxes,
        {
            "written by": "@layer",
            "memory": "@memory",
            "address": "@base",
            "bytes": "@bytes",
            "held": "@left … @right µs",
        },
    )
    return plot


def roofline_plot(roof: Roof, points: list[RooflinePoint], names: list[str]) -> Figure:
    """Operations per second over operations per DDR byte, both logarithmic."""
    intensities = [point.intensity for point in points] or [1.0]
    low, high = min(*intensities, 1.0) / 2, max(*intensities, 1000.0 * roof.peak_tops) * 2
    ridge = 1000.0 * roof.peak_tops / roof.bandwidth_gb_per_s
    plot = figure(
        title="Roofline: one point per layer", frame_width=WIDTH, height=380,
        min_border_left=BORDER,
        tools="pan,wheel_zoom,reset,save", x_axis_type="log", y_axis_type="log",
        x_axis_label="operations per DDR byte",
        y_axis_label="10¹² operations per second", output_backend="canvas",
    )  # fmt: skip
    corners = sorted({low, min(max(ridge, low), high), high})
    plot.line(corners, [roof.attainable_tops(x) for x in corners], color="grey", line_width=2)
    source = ColumnDataSource(
        {
            "x": [round(point.intensity, 4) for point in points],
            "y": [round(point.tops, 6) for point in points],
            "share": [
                f"{100 * point.tops / roof.attainable_tops(point.intensity):.1f} %"
                for point in points
            ],
            "layer": [names[point.layer] for point in points],
            "time": [round(point.time_us, 3) for point in points],
        }
    )
    dots = plot.scatter("x", "y", size=8, alpha=0.7, color=Category10[10][0], source=source)
    _hover(
        plot,
        dots,
        {
            "layer": "@layer",
            "operations per byte": "@x",
            "10¹² op/s": "@y",
            "of what bounds it": "@share",
            "active": "@time µs",
        },
    )
    return plot


def embed(plots: dict[str, Figure]) -> tuple[str, dict[str, str]]:
    """The script that draws `plots`, and by key the element that each is drawn into.

    Bokeh names models by a counter of the process and elements at random; both are numbered by
    their place instead, so that the same program gives the same page.
    """
    script, divisions = components(plots)
    names: dict[str, str] = {}

    def renamed(found: re.Match[str]) -> str:
        return names.setdefault(found[0], f"bk{len(names)}")

    document, items, rest = script.partition("const render_items")
    document = _IN_DOCUMENT.sub(renamed, document)
    return document + items + _ANYWHERE.sub(renamed, rest), {
        key: _ANYWHERE.sub(renamed, html) for key, html in divisions.items()
    }


_ELEMENT = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# The document holds the user's names too; what follows it, only identifiers.
_IN_DOCUMENT = re.compile(_ELEMENT + r'|(?<="id":")p\d+(?=")')
_ANYWHERE = re.compile(_ELEMENT + r'|(?<=")p\d+(?=")')


def _figure(title: str, axis: Any, height: int, **more: Any) -> Figure:
    plot = figure(
        title=title, frame_width=WIDTH, height=height, x_range=axis, tools=TOOLS,
        x_axis_label="µs", output_backend="canvas", min_border_left=BORDER, **more,
    )  # fmt: skip
    wheel: Any = plot.select_one({"type": WheelZoomTool})
    plot.toolbar.active_scroll = wheel
    plot.ygrid.grid_line_alpha = 0.4
    return plot


def _hover(plot: Figure, renderer: Any, fields: dict[str, str]) -> None:
    plot.add_tools(HoverTool(renderers=[renderer], tooltips=list(fields.items())))


def _lane(core: int, engine: Engine, cores: int) -> str:
    return engine.name if cores == 1 else f"core {core} {engine.name}"


def _rounded(values: Any) -> list[float]:
    """To a picosecond, or a millionth of what is plotted: shorter pages, and no visible loss."""
    return np.asarray(values, np.float64).round(6).tolist()

"""`hb_analyzer_report.html`: the summary as one self-contained page."""

from __future__ import annotations

from typing import Any

from bokeh.models import ColumnDataSource, HoverTool
from bokeh.palettes import Category10
from bokeh.plotting import figure as bokeh_figure
from bokeh.resources import Resources

from hbir.reports.page import environment
from hbir.reports.performance import Json
from hbir.reports.plots import BORDER, WIDTH, Figure, embed

BARS = 20
BAR_HEIGHT = 26

_COLORS: Any = Category10[3]
_figure: Any = bokeh_figure  # takes lists as ranges, which its types don't say


def analysis_page(title: str, summary: Json) -> str:
    """The page. summary: an `analysis_summary`."""
    script, plots = embed(
        {
            "types": _bars("Work by type (µs)", "type", summary["hbm_op_time_by_type"]),
            "blocks": _bars("Work by block (µs)", "block", summary["hbm_block_time"]),
            "intervals": _intervals(summary["perf_json_data"]["interval info"]),
        }
    )
    return environment().get_template("analysis.html").render(
        title=title,
        indicators=summary["hbm_key_indicators"],
        findings=summary["findings"],
        layers=summary["hbm_top_layers_by_total_time"],
        cpu_ops=summary["bc_quantized_model_cpu_ops"],
        ports=summary["bc_model_info"],
        plots=plots,
        script=script,
        resources=Resources(mode="inline", components=["bokeh"]).render(),
    )  # fmt: skip


def _bars(title: str, key: str, rows: list[Json]) -> Figure:
    """A bar per row, the longest at the top; computing beside loading and storing."""
    shown = rows[:BARS]
    labels = [str(row[key]) for row in shown]
    plot: Figure = _figure(
        title=title, y_range=labels[::-1] or [""], frame_width=WIDTH - 200,
        height=BAR_HEIGHT * max(len(labels), 1) + 110, tools="save", output_backend="canvas",
        min_border_left=BORDER, x_axis_label="µs",
    )  # fmt: skip
    computing = [float(row["compute_time_us"]) for row in shown]
    total = [float(row["total_time_us"]) for row in shown]
    source = ColumnDataSource(
        {
            "label": labels,
            "zero": [0.0] * len(shown),
            "computing": computing,
            "total": total,
            "share": [f"{100 * float(row['share']):.1f} %" for row in shown],
            "layers": [row["layers"] for row in shown],
        }
    )
    parts: Any = (("zero", "computing", "computing", 0), ("computing", "total", "DDR", 1))
    for left, right, name, color in parts:
        bars = plot.hbar(
            y="label", left=left, right=right, height=0.7, source=source, legend_label=name,
            fill_color=_COLORS[color], line_color=None,
        )  # fmt: skip
        tips = [("", "@label"), ("all", "@total µs, @share"), ("layers", "@layers")]
        plot.add_tools(HoverTool(renderers=[bars], tooltips=tips))
    plot.legend.location = "bottom_right"
    plot.ygrid.grid_line_color = None
    return plot


def _intervals(info: Json) -> Figure:
    """How busy the computing unit is, interval by interval."""
    width = 1000.0 * float(info["interval time (ms)"])
    busy = [100 * float(value) for value in info["interval computing unit utilization"]]
    plot: Figure = _figure(
        title="Computing unit utilization (%)", frame_width=WIDTH, height=240, y_range=(0, 105),
        tools="xpan,xwheel_zoom,reset,save", x_axis_label="µs", output_backend="canvas",
        min_border_left=BORDER,
    )  # fmt: skip
    edges = [index * width for index in range(len(busy) + 1)]
    plot.quad(
        left=edges[:-1], right=edges[1:], bottom=0, top=busy, fill_color=_COLORS[0],
        line_color=None,
    )  # fmt: skip
    return plot

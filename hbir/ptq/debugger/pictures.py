"""Pictures of the tools: matplotlib, drawn into files without a display.

The same numbers give the same bytes: no dates and no versions go into the files. Names of users are
drawn as they are: no `$` is taken for mathematics, no `_` at the front hides an entry.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hbir.errors import HbirError
from hbir.files import write_file
from hbir.ir.types import Array
from hbir.ptq.debugger.metrics import LARGER_IS_CLOSER, UNITS

DPI = 110
BINS = 128
WIDTH_INCHES, HEIGHT_INCHES = 9.0, 4.5
WIDE_INCHES, HEIGHT_OF_WIDE_INCHES = 14.0, 6.5
INCHES_PER_NAME = 0.16
"""Width that a name below the axis takes."""

MOST_INCHES = 36.0
LONGEST_LABEL = 32
LONGEST_FILE_NAME = 120
TITLE_SIZE, NAME_SIZE = 11, 7


def figure(rows: int = 1, names: int = 0) -> tuple[Any, list[Any]]:
    """A figure and its axes, one below the other; wide enough for so many names below an axis.

    Raises HbirError without matplotlib.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise HbirError(
            "the debugger's pictures need matplotlib; run pip install 'hbir[debug]'"
        ) from None
    width = min(max(WIDTH_INCHES, 2 + INCHES_PER_NAME * names), MOST_INCHES)
    height = HEIGHT_INCHES if width < WIDE_INCHES else HEIGHT_OF_WIDE_INCHES
    drawn: Any = Figure(figsize=(width, height * rows), layout="constrained")
    FigureCanvasAgg(drawn)
    return drawn, list(drawn.subplots(rows, 1, squeeze=False)[:, 0])


def save(drawn: Any, path: Path) -> Path:
    """Write a figure as .png; the folder is made. Returns the path."""
    stream = io.BytesIO()
    drawn.savefig(stream, format="png", dpi=DPI, metadata={"Software": None})
    make_folder(path.parent)
    write_file(path, stream.getvalue())
    return path


def make_folder(folder: Path) -> Path:
    """The folder, made with its parents. Raises HbirError where that can't be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HbirError(f"{folder}: can't be made ({error.strerror})") from None
    return folder


def file_names(names: Iterable[str]) -> dict[str, str]:
    """Nodes or tensors → names of files for them, without endings: each another."""
    found: dict[str, str] = {}
    taken = set[str]()
    for name in names:
        base = re.sub(r"[^\w.+-]+", "_", name).strip("_.")[-LONGEST_FILE_NAME:] or "_"
        given, number = base, 1
        while given.lower() in taken:
            number += 1
            given = f"{base}_{number}"
        taken.add(given.lower())
        found[name] = given
    return found


def title(axes: Any, text: str, detail: str = "") -> None:
    """What the picture shows, and in a second line its circumstances."""
    axes.set_title(f"{text}\n{detail}" if detail else text, fontsize=TITLE_SIZE, parse_math=False)


def histogram(
    axes: Any,
    before: Array,
    after: Array,
    rounded: str,
    scale: float | None = None,
    limits: tuple[float, float] | None = None,
) -> None:
    """How densely the numbers of a tensor lie, before rounding and after. rounded: what to; scale:
    the step of its integers, whose bins hold whole steps, else some would catch one more than their
    neighbours; limits: the ends of its range, drawn where numbers lie beyond."""
    low, high = float(min(before.min(), after.min())), float(max(before.max(), after.max()))
    kinds = (
        (before, _edges(low, high, None), "float32", "stepfilled", 0.45),
        (after, _edges(low, high, scale), rounded, "step", 1.0),
    )
    for array, edges, label, style, alpha in kinds:
        counts, _ = np.histogram(array, bins=edges)
        density = counts / np.diff(edges)
        axes.hist(edges[:-1], edges, weights=density, label=label, histtype=style, alpha=alpha)
    axes.set_yscale("log")
    for end in limits or ():
        if low < end < high and not np.isclose(end, (low, high), rtol=0.01).any():
            axes.axvline(end, color="tab:red", linestyle="--", linewidth=1)
            axes.annotate(
                f"range ends at {end:.4g}",
                (end, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(-3 if end > 0 else 3, -4),
                textcoords="offset points",
                rotation=90,
                ha="right" if end > 0 else "left",
                va="top",
                fontsize=NAME_SIZE,
                color="tab:red",
            )
    axes.set_xlabel("value")
    axes.set_ylabel("elements per unit of value")
    axes.grid(alpha=0.3)
    axes.legend(loc="upper right")


def _edges(low: float, high: float, scale: float | None) -> Array:
    """Edges of bins, each of as many steps of the integers where they have one scale."""
    if high <= low:
        return np.linspace(low - 0.5, low + 0.5, BINS + 1)
    if scale is None or (high - low) / scale > BINS * BINS:
        return np.linspace(low, high, BINS + 1)
    first, last = int(np.rint(low / scale)), int(np.rint(high / scale))
    steps = -(-(last - first + 1) // BINS)
    count = -(-(last - first + 1) // steps)
    return (first - 0.5 + steps * np.arange(count + 1)) * scale


def boxes(axes: Any, channels: Array, limits: tuple[float, float] | None) -> None:
    """The quartiles and extremes of each row of `channels`, (channels, elements). limits: the ends
    of the range that all share, shaded."""
    quartiles = np.percentile(channels, (0, 25, 50, 75, 100), axis=1)
    places = range(channels.shape[0])
    thick = max(1.0, min(5.0, 200 / len(places)))
    if limits is not None:
        axes.axhspan(*limits, color="tab:green", alpha=0.08, label="range of the integers")
    axes.vlines(places, quartiles[0], quartiles[4], color="0.6", linewidth=1, label="extremes")
    axes.vlines(places, quartiles[1], quartiles[3], linewidth=thick, label="middle half")
    axes.plot(places, quartiles[2], ".", color="black", markersize=3, label="median")
    axes.set_xlim(-1, len(places))
    axes.set_xlabel("channel")
    axes.set_ylabel("value")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def curves(
    axes: Any, names: Sequence[str], values: Mapping[str, Sequence[float]], metric: str, along: str
) -> None:
    """A line per entry of `values` over the same names. along: what the names are.

    Distances are on a logarithmic axis where they have several orders of magnitude.
    """
    places = range(len(names))
    for label, line in values.items():
        finite = [value if np.isfinite(value) else np.nan for value in line]
        axes.plot(places, finite, marker=".", label=label)
    step = -(-len(names) // int(MOST_INCHES / INCHES_PER_NAME))
    shown = [shortened(name) for name in names[::step]]
    axes.set_xticks(places[::step], shown, rotation=90, fontsize=NAME_SIZE, parse_math=False)
    axes.set_xlim(-0.5, len(names) - 0.5)
    axes.set_xlabel(along)
    axes.set_ylabel(metric_label(metric))
    if metric not in LARGER_IS_CLOSER and _spans_magnitudes(values):
        axes.set_yscale("log")
    else:
        axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(alpha=0.3)
    if len(values) > 1:
        _name_lines(axes, list(values))
    elif len(names) == 1:
        (line,) = values.values()
        axes.annotate(f"{line[0]:.6g}", (0, line[0]), xytext=(8, 4), textcoords="offset points")


def metric_label(metric: str) -> str:
    """A metric with its unit and direction, as an axis is labelled."""
    unit = f" ({UNITS[metric]})" if metric in UNITS else ""
    return f"{metric}{unit}, {'higher' if metric in LARGER_IS_CLOSER else 'lower'} is closer"


def shortened(name: str) -> str:
    """A name that fits below an axis: its end, which tells nodes apart, and its beginning."""
    if len(name) <= LONGEST_LABEL:
        return name
    head = LONGEST_LABEL // 3
    return f"{name[:head]}…{name[head + 1 - LONGEST_LABEL :]}"


def lines(axes: Any, values: Mapping[str, Sequence[float]], along: str) -> None:
    """A line per entry of `values` over numbers from 0 on. along: what is numbered."""
    for label, line in values.items():
        axes.plot(range(len(line)), line, marker=".", label=label)
    axes.set_xlabel(along)
    axes.set_ylabel("value")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _spans_magnitudes(values: Mapping[str, Sequence[float]]) -> bool:
    found = [value for line in values.values() for value in line if 0 < value < np.inf]
    return bool(found) and max(found) > 30 * min(found)


def _name_lines(axes: Any, labels: Sequence[str]) -> None:
    """Beside the picture, where it hides nothing."""
    names = [shortened(label.lstrip("_")) for label in labels]
    legend = axes.legend(axes.get_lines(), names, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    for text in legend.get_texts():
        text.set_parse_math(False)

"""Pictures of the tools: matplotlib, drawn into files without a display.

The same numbers give the same bytes: no dates and no versions go into the files.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hbir.errors import HbirError
from hbir.files import write_file
from hbir.ir.types import Array

DPI = 110
BINS = 128
WIDTH_INCHES, HEIGHT_INCHES = 9.0, 5.0


def figure(rows: int = 1) -> tuple[Any, list[Any]]:
    """A figure and its axes, one below the other. Raises HbirError without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise HbirError(
            "the debugger's pictures need matplotlib; run pip install 'hbir[debug]'"
        ) from None
    drawn: Any = Figure(figsize=(WIDTH_INCHES, HEIGHT_INCHES * rows), layout="constrained")
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


def file_name(name: str) -> str:
    """A node's or tensor's name as the name of a file."""
    return re.sub(r"[^\w.+-]+", "_", name).strip("_") or "_"


def histogram(axes: Any, name: str, before: Array, after: Array) -> None:
    """How the numbers of a tensor lie, before rounding and after."""
    low, high = float(min(before.min(), after.min())), float(max(before.max(), after.max()))
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    for array, label, style in ((before, "float", "stepfilled"), (after, "rounded", "step")):
        axes.hist(array.ravel(), bins=edges, label=label, histtype=style, log=True, alpha=0.8)
    axes.set_title(name)
    axes.set_xlabel("value")
    axes.set_ylabel("elements")
    _legend(axes)


def boxes(axes: Any, name: str, channels: Array) -> None:
    """The quartiles and extremes of each row of `channels`, (channels, elements)."""
    quartiles = np.percentile(channels, (0, 25, 50, 75, 100), axis=1)
    places = list(range(channels.shape[0]))
    axes.vlines(places, quartiles[0], quartiles[4], color="0.6", linewidth=1, label="extremes")
    axes.vlines(places, quartiles[1], quartiles[3], linewidth=3, label="middle half")
    axes.plot(places, quartiles[2], ".", color="black", markersize=3, label="median")
    axes.set_title(name)
    axes.set_xlabel("channel")
    axes.set_ylabel("value")
    axes.locator_params(axis="x", integer=True)
    _legend(axes)


def curves(
    axes: Any, names: Sequence[str], values: Mapping[str, Sequence[float]], metric: str
) -> None:
    """A line per entry of `values` over the same names."""
    for label, line in values.items():
        axes.plot(range(len(names)), line, marker=".", label=label)
    step = max(1, len(names) // 40)
    axes.set_xticks(range(0, len(names), step), names[::step], rotation=90, fontsize=6)
    axes.set_ylabel(metric)
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.grid(alpha=0.3)
    _legend(axes)


def _legend(axes: Any) -> None:
    """Beside the picture, where it hides nothing."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))

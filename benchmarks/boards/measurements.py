"""The public measurements that a compiled graph can be compared with, and why others can't be.

Reads `board_bench.csv` (model, input shape, march, threads, latency, frames per second, source);
where that file lies is given by the environment variable `HBIR_BOARD_BENCH`, or it is the copy
beside this module. Rows are turned into two quantities: `bpu_ms`, the time between frames of a core
that several threads keep busy (1000 / FPS, of `cores` cores working at once), and `latency_ms` of
one thread, which holds a launch besides. Few threads don't keep a core busy with a small network:
each has one frame in flight, whose launch is the host's time, so a core gets a frame at most every
latency / `in_flight`.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.boards.graphs import SIGLIP_SIZES

DATA = Path(__file__).with_name("board_bench.csv")

MARCHES = ("nash-e", "nash-m", "nash-p")

_THREADS = re.compile(r"(\d+)")
_THREADS_UNSAID = 8
_CORES = re.compile(r"(\d+) cores")

_YOLO = re.compile(r"YOLO(v?\d+)(\w) ?(Detect|Seg|Pose|Obb|CLS|Cls)?$")
_SUFFIX = {None: "", "detect": "", "seg": "-seg", "pose": "-pose", "obb": "-obb", "cls": "-cls"}

_NAMES = {
    "EfficientNet_lite0": ("efficientnet_lite0", "EfficientNet"),
    "EfficientNet_lite1": ("efficientnet_lite1", "EfficientNet"),
    "EfficientNet-B0 (ReLU, no SE)": ("efficientnet_lite0", "EfficientNet"),
    "MobileNetV2": ("mobilenet_v2", "MobileNet"),
    "ResNet-50": ("resnet50", "ResNet"),
}
"""Model → graph and family."""

HOST_BOUND_FPS = 9000.0
"""Above it the host that starts frames is measured, not the BPU."""

EXCLUDED = {
    "YOLO26": "top-k on the CPU",
    "YOLOE": "CPU ops",
    "YOLOv13": "CPU ops",
    "(core_num": "one frame on four cores",
}
"""Part of a model's name → why its rows aren't compared."""

CHECKED = {
    "HENet": "the blocks' insides are not published: our reading of them",
    "siglip-base-p16-224": "half the rate of every other SigLIP, for a cause that isn't known",
}
"""Part of a model's name → why its rows are shown, but neither fitted to nor counted."""

_HENET = re.compile(r"HENet_(Tiny[EM])$")


@dataclass(frozen=True)
class Measurement:
    """What a board showed of one graph.

    bpu_ms: milliseconds per frame of a core when saturated, `cores` of them at work.
    """

    model: str
    family: str
    graph: str
    march: str
    cores: int
    bpu_ms: float
    latency_ms: float
    """Of one thread; 0 where only a saturated rate was published."""
    in_flight: float = 8.0
    """Frames that the threads keep in flight per core while `bpu_ms` was measured."""
    check: str = ""
    """Why it is shown but not counted; empty for the others."""


@dataclass(frozen=True)
class Left:
    """A model that isn't compared, and why."""

    model: str
    march: str
    reason: str


def data_file() -> Path:
    """The CSV that `measurements` reads."""
    return Path(os.environ.get("HBIR_BOARD_BENCH", DATA))


def _graph(model: str, shape: str) -> tuple[str, str] | str:
    """Graph and family of a model, or why it has none."""
    for part, reason in EXCLUDED.items():
        if part in model:
            return reason
    if model in _NAMES:
        return _NAMES[model]
    henet = _HENET.match(model)
    if henet is not None:
        _, _, height, width = shape.split("x")
        return f"henet_{henet.group(1).lower()}_{height}x{width}", "HENet"
    siglip = re.match(r"siglip-(\w+)-p(\d+)-(\d+) vision (pooler|last_hidden_state)", model)
    if siglip is not None:
        size, patch, image, head = siglip.groups()
        assert (size, int(patch), int(image)) in SIGLIP_SIZES
        kind = "pooler" if head == "pooler" else "tokens"
        return f"siglip_{size}_p{patch}_{image}_{kind}", "SigLIP"
    yolo = _YOLO.match(model)
    if yolo is None:
        return f"no graph of it is public ({shape})"
    version, size, task = yolo.groups()
    suffix = _SUFFIX[task.lower() if task else None]
    family = f"YOLO{version.lstrip('v')}{'-cls' if suffix == '-cls' else ''}"
    return f"yolo{version}{size}{suffix}", family


def _rows() -> Iterator[tuple[str, str, str, list[dict[str, str]]]]:
    grouped: dict[tuple[str, str, str], list[dict[str, str]]] = {}
    with data_file().open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            key = row["march"], row["model"], row["input_shape"]
            grouped.setdefault(key, []).append(row)
    for (march, model, shape), rows in grouped.items():
        yield march, model, shape, rows


def measurements(marches: tuple[str, ...] = MARCHES) -> tuple[list[Measurement], list[Left]]:
    """What can be compared on `marches`, and what can't, in the file's order."""
    usable: list[Measurement] = []
    left: list[Left] = []
    for march, model, shape, rows in _rows():
        if march not in marches:
            continue
        found = _graph(model, shape)
        if isinstance(found, str):
            left.append(Left(model, march, found))
            continue
        graph, family = found
        measured = _measured(rows)
        if isinstance(measured, str):
            left.append(Left(model, march, measured))
            continue
        check = next((why for part, why in CHECKED.items() if part in model), "")
        usable.append(Measurement(model, family, graph, march, *measured, check))
    return usable, left


def _measured(rows: list[dict[str, str]]) -> tuple[int, float, float, float] | str:
    """Cores, milliseconds per frame and core of several threads, latency of one, frames in flight
    per core; or why not."""
    latency = next(
        (float(r["latency_ms"]) for r in rows if _threads(r) == 1 and r["latency_ms"]), 0.0
    )
    saturated = [r for r in rows if r["fps"] and _threads(r) > 1]
    if not saturated:
        return (1, 0.0, latency, _THREADS_UNSAID) if latency else "no saturated rate"
    row = saturated[-1]
    fps = float(row["fps"])
    if fps >= HOST_BOUND_FPS:
        return f"{fps:.0f} frames per second: bound by the host"
    cores = _CORES.search(row["threads"])
    count = int(cores.group(1)) if cores else 1
    return count, 1000.0 * count / fps, latency, _threads(row) / count


def _threads(row: dict[str, str]) -> int:
    number = _THREADS.match(row["threads"])
    return int(number.group(1)) if number else _THREADS_UNSAID

"""The files that hb_compile leaves, opened by the tools that their users open them with."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import onnx
import onnxruntime

import hbir
from hbir.ptq.build.artifacts import SUFFIXES
from hbir.ptq.description import read_description
from hbir.ptq.node_table import NODE_CAPTIONS, OUTPUT_CAPTIONS

_onnx: Any = onnx  # its checker is typed only in part

SOMETIMES = ("ptq_module", "inserted_module", "removed", "tuned_config", "tuning_report")
"""Files that come with an environment variable, where nodes are removed, or with a search."""

ALWAYS = tuple(what for what in SUFFIXES if what not in SOMETIMES)


def check_artifacts(folder: Path, prefix: str, also: Iterable[str] = ()) -> dict[str, Path]:
    """Open every file of a run, and return them by their keys in SUFFIXES. Fails for a missing or
    broken one, and for a leftover of an unfinished one."""
    paths = {what: folder / f"{prefix}{SUFFIXES[what]}" for what in (*ALWAYS, *also)}
    for what, path in paths.items():
        assert path.is_file(), f"{path} is missing"
        _OPENERS[path.suffix](path)
        if what == "node_info":
            _check_table(path)
    assert not list(folder.glob(f".{prefix}*")), "an unfinished file was left"
    assert (folder / "hb_compile.log").read_text().rstrip().endswith("completes running.")
    return paths


def _open_onnx(path: Path) -> None:
    _onnx.checker.check_model(onnx.ModelProto.FromString(path.read_bytes()), full_check=True)
    onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])


def _open_module(path: Path) -> None:
    module = hbir.load(path)
    assert module.level == "quantized"
    assert read_description(module.functions[0].desc) is not None


def _open_hbm(path: Path) -> None:
    graph = hbir.Hbm(path).graphs[0]
    assert read_description(graph.desc) is not None


def _open_html(path: Path) -> None:
    HTMLParser().feed(path.read_text())


def _open_json(path: Path) -> None:
    json.loads(path.read_text(), parse_constant=_no_number)


def _no_number(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def _open_csv(path: Path) -> None:
    list(csv.reader(path.open()))


_OPENERS = {
    ".onnx": _open_onnx,
    ".bc": _open_module,
    ".hbm": _open_hbm,
    ".html": _open_html,
    ".json": _open_json,
    ".csv": _open_csv,
}


def _check_table(path: Path) -> None:
    rows = list(csv.reader(path.open()))
    gap = rows.index([])
    assert rows[0] == list(NODE_CAPTIONS)
    assert rows[gap + 1] == list(OUTPUT_CAPTIONS)
    assert all(len(row) == len(NODE_CAPTIONS) for row in rows[:gap])
    assert all(len(row) == len(OUTPUT_CAPTIONS) for row in rows[gap + 1 :])
    assert {row[2] for row in rows[1:gap]} <= {"BPU", "VPU+BPU", "CPU", "--"}

"""What a model file tells of itself: `hb_model_info`'s sections, and hb_compile's last words.

Frames and titles are the vendor tool's. What a `.bc` or `.hbm` was made with stands in its
description (`description`); files of other tools have none, and say less.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import hbir
from hbir.backend.march import load_march
from hbir.backend.timeline import play
from hbir.errors import HbirError
from hbir.hbm import Hbm
from hbir.interface import Argument
from hbir.module import Module
from hbir.ptq.description import DELETED_NODES, DEPENDENCY_KEYS, SECTIONS, read_description
from hbir.reports.performance import Json, performance_report

SUFFIXES = (".hbm", ".bc", ".onnx")

MEMORY_KEYS = (
    "input memory", "output memory", "static memory", "dynamic memory", "intermediate memory",
    "temporary memory", "min memory requirement",
)  # fmt: skip

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""Captions and rows."""


@dataclass(frozen=True)
class GraphInfo:
    """One graph of a file: its description, its ports, and what only some files have."""

    name: str
    description: Mapping[str, Any]
    ports: tuple[tuple[str, str, str, str], ...]
    """(name, input or output, shape, dtype)."""
    removable: tuple[tuple[str, str], ...] | None = None
    """(name, type) of the ops that could be removed; of a `.bc`."""
    report: Json | None = None
    """Static performance; of a `.hbm`."""

    @property
    def deleted(self) -> tuple[str, ...]:
        """The names of ops that were removed at inputs and outputs."""
        return tuple(filter(None, str(self.description.get(DELETED_NODES) or "").split(";")))


@dataclass(frozen=True)
class ModelInfo:
    """A file's graphs."""

    path: Path
    kind: str
    graphs: tuple[GraphInfo, ...]
    dependencies: Mapping[str, str] = field(default_factory=dict[str, str])

    def lines(self) -> Iterable[str]:
        """Everything, section by section."""
        for graph in self.graphs:
            yield f"############# model {graph.name} #############"
            yield from self._sections(graph)

    def _sections(self, graph: GraphInfo) -> Iterable[str]:
        known = graph.description
        dependencies = {key: known.get(key) for key in DEPENDENCY_KEYS if known.get(key)}
        yield from _section("model deps info", dependencies or self.dependencies)
        for title, keys in SECTIONS.items():
            if title == "compiler_parameters" and self.kind != ".hbm":
                continue
            values = {key: known[key] for key in keys if known.get(key) is not None}
            if values:
                yield from _section(f"{title} info", values)
        yield from _titled("input/output info")
        yield from _table((("NAME", "TYPE", "SHAPE", "DATA_TYPE"), list(graph.ports)))
        if graph.removable is not None:
            yield from _titled("Removable node info")
            yield from _table((("Node Name", "Node Type"), list(graph.removable)))
        if graph.deleted:
            yield from _titled("deleted node info")
            yield from graph.deleted
        if graph.report is not None:
            memory = graph.report["summary"]["DDR access data"]
            yield from _section("memory info", {key: memory[key] for key in MEMORY_KEYS})


def model_info(path: str | os.PathLike[str], name: str | None = None) -> ModelInfo:
    """What a file tells of itself. name: of one graph; all by default.

    Raises HbirError for a file that isn't there or isn't a model, and for a name it doesn't have.
    """
    file = Path(path)
    if file.suffix not in SUFFIXES:
        raise HbirError(f"The model {file} is invalid: expected one of {', '.join(SUFFIXES)}")
    if not file.is_file():
        raise HbirError(f"The {file} does not exist!")
    try:
        info = _READERS[file.suffix](file)
    except HbirError as error:
        raise HbirError(f"The model {file} load failed: {error}") from error
    if name is None:
        return info
    chosen = tuple(graph for graph in info.graphs if graph.name == name)
    if not chosen:
        names = ", ".join(graph.name for graph in info.graphs)
        raise HbirError(f"Desired model invalid: {file} has no '{name}'; it has {names}")
    return ModelInfo(info.path, info.kind, chosen, info.dependencies)


def _of_hbm(path: Path) -> ModelInfo:
    hbm = Hbm(path)
    machine = load_march(hbm.march_name)
    graphs: list[GraphInfo] = []
    for graph in hbm.graphs:
        timeline = play(machine, hbm.program, graph.program)
        report = performance_report(machine, hbm.program, graph.program, timeline)
        known = read_description(graph.desc) or {"MARCH": hbm.march_name}
        ports = _ports(graph.flatten_inputs, graph.flatten_outputs)
        graphs.append(GraphInfo(graph.name, known, ports, report=report))
    return ModelInfo(path, ".hbm", tuple(graphs), {"HBDK_VERSION": hbm.toolkit_version})


def _of_bc(path: Path) -> ModelInfo:
    module = hbir.load(path)
    return ModelInfo(path, ".bc", tuple(_graphs_of(module)), {"HBDK_VERSION": module.version})


def _graphs_of(module: Module) -> Iterable[GraphInfo]:
    march = {"MARCH": module.march.value} if module.march is not None else {}
    for function in module.functions:
        yield GraphInfo(
            function.name,
            read_description(function.desc) or march,
            _ports(function.flatten_inputs, function.flatten_outputs),
            tuple(function.get_removable_io_op()),
        )


def _of_onnx(path: Path) -> ModelInfo:
    from hbir.frontends.onnx.graph import read_graph

    graph = read_graph(path)
    ports = tuple(
        (
            port.name,
            kind,
            _shape_text(["?" if e is None else e for e in port.dims] if port.dims else []),
            str(port.dtype),
        )
        for kind, some in (("input", graph.inputs), ("output", graph.outputs))
        for port in some
    )
    versions = {domain or "ai.onnx": f"v{number}" for domain, number in graph.opsets.items()}
    return ModelInfo(path, ".onnx", (GraphInfo(graph.name or path.stem, {}, ports),), versions)


_READERS = {".hbm": _of_hbm, ".bc": _of_bc, ".onnx": _of_onnx}


def _ports(
    inputs: Sequence[Argument], outputs: Sequence[Argument]
) -> tuple[tuple[str, str, str, str], ...]:
    return tuple(
        (port.name, kind, _shape_text(port.type.valid_shape), str(np.dtype(port.type.np_dtype)))
        for kind, some in (("input", inputs), ("output", outputs))
        for port in some
    )


def _shape_text(shape: Iterable[object]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _titled(title: str) -> Iterable[str]:
    yield f"############# {title} #############"


def _section(title: str, values: Mapping[str, Any]) -> Iterable[str]:
    yield from _titled(title)
    width = max((len(key) for key in values), default=0)
    for key, value in values.items():
        yield f"{key.ljust(width)} : {value}"


def _table(table: Table) -> Iterable[str]:
    captions, rows = table
    lines = [captions, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        yield f"| {' | '.join(cells)} |"

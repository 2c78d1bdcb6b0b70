"""The HTML page as text; tests/e2e/test_report_page.py opens it."""

from __future__ import annotations

import re

import pytest

from hbir.backend.isa.builder import ProgramBuilder
from hbir.backend.isa.enums import DType
from hbir.backend.isa.program import Program, Tensor
from hbir.backend.march import load_march
from hbir.backend.timeline import play
from hbir.reports.page import report_page
from hbir.reports.performance import performance_report
from tests.unit.runtime.programs import split_convolution, tiled_convolution

MACHINE = load_march("nash-e")


def _page(program: Program) -> str:
    graph = program.graphs[0]
    timeline = play(MACHINE, program, graph)
    return report_page(
        MACHINE, program, graph, timeline, performance_report(MACHINE, program, graph, timeline)
    )


@pytest.mark.parametrize("program", [tiled_convolution(), split_convolution()])
def test_the_same_program_gives_the_same_page(program: Program) -> None:
    assert _page(program) == _page(program)


def test_it_loads_nothing() -> None:
    page = _page(tiled_convolution())
    assert re.findall(r"<(?:script|img|iframe)[^>]+src=|<link[^>]+href=|@import", page) == []


def test_it_has_the_summary_and_every_layer() -> None:
    page = _page(tiled_convolution())
    for text in ("main on nash-e", "FPS", "latency", "DDR per run", "conv_id_0", "modelled BPU"):
        assert text in page


def test_names_are_escaped() -> None:
    builder = ProgramBuilder("nash-e", l1_bytes=1 << 16)
    graph = builder.graph("<script>alert(1)</script>")
    graph.input(Tensor.dense("x", DType.SI8, (1, 8)))
    page = _page(builder.finish())
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page

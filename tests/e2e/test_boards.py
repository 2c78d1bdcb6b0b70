"""The fit of the marches still holds: predictions of the board measurements' graphs don't drift.

A march's fitted numbers belong to the schedules they were fitted with. When the compiler schedules
better or worse, predictions move although no board did: fit again (`python -m tools.fit_march --fit
--report docs/boards.md --record`), which also rewrites the record that this test reads.
"""

import json

import pytest

from benchmarks.boards.graphs import build
from benchmarks.boards.predict import OPT, predict
from benchmarks.boards.record import RECORD, SLICE
from hbir import __version__
from hbir.backend.march import load_march
from hbir.compiler import compile_program
from hbir.module import Module

DRIFT = 0.02


@pytest.fixture(scope="module", params=SLICE)
def graph(request: pytest.FixtureRequest) -> tuple[str, Module]:
    return request.param, build(request.param)


@pytest.mark.parametrize("march", ["nash-e", "nash-m", "nash-p"])
def test_predictions_stay_where_the_fit_left_them(graph: tuple[str, Module], march: str) -> None:
    name, module = graph
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))["bpu_ms"][march][name]
    machine = load_march(march)
    predicted = predict(machine, compile_program(module, march, OPT)).bpu_ms
    assert predicted == pytest.approx(recorded, rel=DRIFT)


@pytest.mark.parametrize("march", ["nash-e", "nash-m", "nash-p"])
def test_a_march_says_which_compiler_it_was_fitted_with(march: str) -> None:
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))["fitted_with"]
    assert load_march(march).fitted_with == recorded == f"hbir {__version__}"

"""The fit of the marches still holds: predictions of the board measurements' graphs don't drift.

A march's fitted numbers belong to the schedules they were fitted with. When the compiler schedules
better or worse, predictions move although no board did: fit again (`python -m tools.fit_march --fit
--report docs/boards.md --record`), which also rewrites the record that this test reads.
"""

import itertools
import json

import pytest

from benchmarks.boards.graphs import build
from benchmarks.boards.predict import OPT, predict
from benchmarks.boards.record import RECORD, SLICE
from benchmarks.boards.resnet50 import PUBLISHED, network, rows
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


def test_convolutions_cost_what_the_published_table_says() -> None:
    """ResNet-50's first rows: within their rounding and a tenth, one behind the other, prefetched."""
    machine = load_march("nash-e")
    ours = rows(machine, compile_program(network(), "nash-e", OPT))
    pairs = list(zip(PUBLISHED, ours, strict=True))
    for published, mine in pairs[3:]:
        assert mine.compute_us == pytest.approx(published.compute_us, rel=0.1, abs=0.5)
    for (early, before), (late, after) in itertools.pairwise(pairs[5:]):
        assert after.compute_end_us - before.compute_end_us == pytest.approx(
            late.end_us - early.end_us, abs=1.5
        )
        assert after.start_us < before.compute_start_us


@pytest.mark.parametrize("march", ["nash-e", "nash-m", "nash-p"])
def test_a_march_says_which_compiler_it_was_fitted_with(march: str) -> None:
    recorded = json.loads(RECORD.read_text(encoding="utf-8"))["fitted_with"]
    assert load_march(march).fitted_with == recorded == f"hbir {__version__}"

"""hbm_perf: what it prints and what it writes."""

import json
from pathlib import Path

import pytest

from hbir.api import hbm_perf
from hbir.errors import HbirError
from hbir.hbm.writer import write_program
from tests.unit.runtime.programs import tiled_convolution


def test_it_prints_a_summary_and_writes_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.hbm"
    write_program(tiled_convolution(), model)
    assert hbm_perf(str(model), tmp_path / "report") == 0
    out = capsys.readouterr().out
    for text in ("FPS: ", "latency: ", "DDR: ", "MB per run", "computing cost (no DDR)", "conv"):
        assert text in out
    assert out.rstrip().endswith("HBDK hbm perf SUCCESS")
    report = json.loads((tmp_path / "report" / "main.json").read_text())
    assert report["summary"]["layer details"][0]["layer name"] == "conv_id_0"


def test_reports_are_the_same_every_time(tmp_path: Path) -> None:
    model = tmp_path / "model.hbm"
    write_program(tiled_convolution(), model)
    for name in ("a", "b"):
        hbm_perf(model, tmp_path / name)
    assert (tmp_path / "a" / "main.json").read_bytes() == (
        tmp_path / "b" / "main.json"
    ).read_bytes()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    model = tmp_path / "model.hbm"
    write_program(tiled_convolution(), model)
    (tmp_path / "file").write_text("")
    with pytest.raises(HbirError, match="can't be made"):
        hbm_perf(model, tmp_path / "file" / "report")

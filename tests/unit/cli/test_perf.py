"""hbir-perf: what it prints, writes and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hbir.cli.perf import main
from hbir.hbm.writer import write_program
from tests.unit.runtime.programs import tiled_convolution


def test_it_prints_and_writes_three_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_program(tiled_convolution(), tmp_path / "model.hbm")
    assert main([str(tmp_path / "model.hbm"), "-o", str(tmp_path / "out")]) == 0
    assert "HBDK hbm perf SUCCESS" in capsys.readouterr().out
    written = sorted(file.name for file in (tmp_path / "out").iterdir())
    assert written == ["main.html", "main.json", "main.trace.json"]
    assert json.loads((tmp_path / "out" / "main.trace.json").read_text())["traceEvents"]


@pytest.mark.parametrize(
    ("data", "message"), [(None, "no such file"), (b"HBIR?", "model.hbm"), (b"", "model.hbm")]
)
def test_what_is_no_model_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes | None, message: str
) -> None:
    file = tmp_path / "model.hbm"
    if data is not None:
        file.write_bytes(data)
    assert main([str(file), "-o", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert not (tmp_path / "out").exists()

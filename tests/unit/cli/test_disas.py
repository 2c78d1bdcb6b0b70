"""hbir-disas where FileCheck can't look: terminals, and what failures leave behind."""

import io
import sys
from pathlib import Path

import pytest
from typing_extensions import override

from hbir.cli.disas import main
from hbir.hbm.writer import write_program
from tests.unit.runtime.programs import random_program, tiled_convolution


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    @override
    def isatty(self) -> bool:
        return True


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_program(tiled_convolution(), tmp_path / "model.hbm")
    return tmp_path / "model.hbm"


def test_constants_are_elided_on_a_terminal(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main([str(model)]) == 0
    assert "constants 1344 elided" in terminal.getvalue()


def test_a_file_assembles_to_the_same_bytes(tmp_path: Path) -> None:
    for seed in range(3):
        model, text, again = (tmp_path / name for name in ("a.hbm", "a.txt", "b.hbm"))
        write_program(random_program(seed)[0], model)
        assert main([str(model), "-o", str(text)]) == 0
        assert main(["--assemble", str(text), "-o", str(again)]) == 0
        assert again.read_bytes() == model.read_bytes()


def test_a_failure_keeps_what_was_there(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "broken.txt"
    text.write_text("isa.program {\n  queue 0 load\n}\n")
    before = model.read_bytes()
    assert main(["--assemble", str(text), "-o", str(model)]) == 1
    assert model.read_bytes() == before
    assert capsys.readouterr().err == f"error: {text}:2: a queue needs a 'call' above it\n"


def test_a_damaged_file_is_one_line(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model.write_bytes(model.read_bytes()[:-1])
    assert main([str(model)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"error: {model}: header at byte 16: the file should have")
    assert captured.err.count("\n") == 1

"""hb_verifier as it is called: exit status, messages, files."""

from pathlib import Path

import numpy as np
import pytest

import hbir
from hbir.cli.hb_verifier import main
from tests.unit.ptq.small_network import SHAPE, write_network


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    hbir.save(hbir.onnx.export(write_network(tmp_path / "m.onnx")), tmp_path / "m.bc")
    return tmp_path


def test_two_stages(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(models / "x.npy", np.ones(SHAPE, np.float32))
    assert main(["-m", "m.onnx,m.bc", "-i", "x=x.npy", "--csv", "layers.csv"]) == 0
    printed = capsys.readouterr().out
    assert "no tensor departs" in printed
    assert "x.relu" in (models / "layers.csv").read_text()
    assert (models / "hb_verifier.log").exists()


def test_random_inputs_and_a_board(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    del models
    assert main(["-m", "m.onnx,m.bc", "--ip", "10.0.0.1", "-u", "root"]) == 0
    printed = capsys.readouterr().out
    assert "random inputs, the same each time (seed 0)" in printed
    assert "--ip, --username without effect: there is no board" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-m", "m.onnx"], "takes two models"),
        (["-m", "m.onnx,nix.bc"], "nix.bc: no such file"),
        (["-m", "m.onnx,m.bc", "-i", "a.npy", "-i", "b.npy"], "has 1 inputs (x)"),
        (["-m", "m.onnx,m.bc", "-i", "a.npy"], "a.npy: no such file"),
        (["-m", "m.onnx,m.bc", "-r"], "not supported"),
        (["-m", "m.onnx,m.bc", "--skip-sim", "--skip-arm"], "exclude each other"),
        (["-m", "m.onnx,m.bc", "-c", "x"], "invalid int value"),
        ([], "required"),
    ],
)
def test_mistakes(
    models: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    del models
    assert main(arguments) == 255
    printed = capsys.readouterr().out
    assert message in printed
    assert "Traceback" not in printed

"""hb_model_info: sections of a .hbm, .bc and .onnx, the files it writes, and what it refuses."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from hbir.cli.hb_compile import main as hb_compile
from hbir.cli.hb_model_info import main
from tests.unit.ptq.small_network import write_config, write_data, write_network


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a network and what hb_compile made of it."""
    folder = tmp_path_factory.mktemp("compiled")
    write_network(folder / "net.onnx")
    write_data(folder / "data")
    config = write_config(folder, {"model_parameters": {"remove_node_type": "Quantize"}})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert hb_compile(["-c", str(config)]) == 0
    return folder


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _printed(capsys: pytest.CaptureFixture[str], path: Path, *options: str) -> list[str]:
    assert main([*options, str(path)]) == 0
    return capsys.readouterr().out.splitlines()


def _title(title: str) -> str:
    return f"############# {title} #############"


def test_a_hbm_says_how_it_was_made_and_what_memory_it_needs(
    compiled: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = _printed(capsys, compiled / "out" / "net.hbm")
    sections = [
        "model deps info",
        "model_parameters info",
        "input_parameters info",
        "calibration_parameters info",
        "compiler_parameters info",
        "input/output info",
        "deleted node info",
        "memory info",
    ]
    places = [lines.index(_title(title)) for title in sections]
    assert places == sorted(places)
    assert "MARCH            : nash-e" in lines
    assert any(
        line.split() == ["|", "NAME", "|", "TYPE", "|", "SHAPE", "|", "DATA_TYPE", "|"]
        for line in lines
    )
    assert "| x    | input  | [1, 3, 8, 8] | int8      |" in lines
    assert any(line.startswith("min memory requirement : ") for line in lines)
    report = json.loads((folder / ".hb_model_info" / "net.json").read_text())
    assert report["summary"]["model info"]["BPU march"] == "nash-e"
    assert (folder / "deleted_nodes_info.txt").read_text() == "x_Quantize\n"


def test_a_bc_lists_what_could_be_removed(
    compiled: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = _printed(capsys, compiled / "out" / "net_quantized_model.bc", "-n", "net")
    at = lines.index(_title("Removable node info"))
    assert lines[at + 1].split() == ["|", "Node", "Name", "|", "Node", "Type", "|"]
    assert {line.split()[1] for line in lines[at + 2 : at + 4]} == {"x_Quantize", "y_Dequantize"}
    assert _title("compiler_parameters info") not in lines
    assert not (folder / "deleted_nodes_info.txt").exists()


def test_an_onnx_shows_its_ports_and_opset(
    compiled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = _printed(capsys, compiled / "net.onnx")
    assert "ai.onnx : v13" in lines
    assert "| x    | input  | [1, 3, 8, 8] | float32   |" in lines


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("net.txt", [], "The model net.txt is invalid"),
        ("none.hbm", [], "The none.hbm does not exist!"),
        ("broken.hbm", [], "The model broken.hbm load failed"),
        ("broken.bc", [], "The model broken.bc load failed"),
        ("broken.onnx", [], "The model broken.onnx load failed"),
        ("net.hbm", ["-n", "other"], "Desired model invalid: net.hbm has no 'other'; it has net"),
    ],
)
def test_what_is_refused(
    compiled: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    options: list[str],
    message: str,
) -> None:
    for suffix in ("hbm", "bc", "onnx"):
        (folder / f"broken.{suffix}").write_bytes(b"nothing")
    (folder / "net.txt").write_text("")
    (folder / "net.hbm").write_bytes((compiled / "out" / "net.hbm").read_bytes())
    assert main([*options, name]) == 255
    assert f"ERROR {message}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("model", "picture"),
    [
        ("out/net_quantized_model.bc", ".hb_model_info/net_quantized_model.onnx"),
        ("out/net.hbm", ".hb_model_info/net.prototxt"),
    ],
)
def test_visualize_serves_a_picture_that_stays(
    compiled: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, model: str, picture: str
) -> None:
    served: list[str] = []

    def start(path: str, **_: Any) -> None:
        served.append(path)

    netron = types.SimpleNamespace(start=start, wait=lambda: None)
    monkeypatch.setitem(sys.modules, "netron", netron)
    assert main(["-v", str(compiled / model)]) == 0
    assert served == [picture]
    assert (
        b"Conv_x" in (folder / picture).read_bytes() or b"x.relu" in (folder / picture).read_bytes()
    )

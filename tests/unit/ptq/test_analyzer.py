"""hb_analyzer's files, from each thing that it takes, and its mistakes."""

import json
from pathlib import Path

import pytest

import hbir
from hbir.cli.hb_analyzer import main
from hbir.errors import HbirError
from hbir.ptq.analyzer import analyze
from tests.unit.ptq.test_debugger_data import Bars
from tests.unit.ptq.uneven_network import calibrated

FILES = {"net.json", "analysis_summary.json", "hb_analyzer_report.html"}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .hbm, with the quantized module beside it as hb_compile leaves it."""
    folder = tmp_path_factory.mktemp("compiled")
    quantized = hbir.convert(calibrated(), "nash-e")
    hbir.save(quantized, folder / "model_quantized_model.bc")
    hbir.compile(quantized, folder / "model.hbm")
    return folder / "model.hbm"


def test_of_a_hbm_with_its_bc_beside(compiled: Path, tmp_path: Path) -> None:
    found = analyze(compiled, folder=tmp_path / "out")
    assert {file.name for file in (tmp_path / "out").iterdir()} == FILES
    stored = json.loads((tmp_path / "out" / "analysis_summary.json").read_text())
    assert stored == json.loads(json.dumps(found.summary))
    assert stored["bc_model_info"]["quantized_model_inputs"][0]["name"] == "x"
    assert len(stored["findings"]) > 2


def test_of_its_performance_json(compiled: Path, tmp_path: Path) -> None:
    from_hbm = analyze(compiled, folder=tmp_path / "a").summary
    from_json = analyze(perf=tmp_path / "a" / "net.json", folder=tmp_path / "b").summary
    for key in ("hbm_key_indicators", "hbm_block_time", "hbm_top_layers_by_total_time"):
        assert from_json[key] == from_hbm[key]


def test_of_an_onnx_which_is_compiled(tmp_path: Path, compiled: Path) -> None:
    from hbir.ptq.stages import write_optimized_float
    from tests.unit.ptq.uneven_network import float_network

    write_optimized_float(float_network(), tmp_path / "float.onnx")
    bars = Bars()
    found = analyze(tmp_path / "float.onnx", "nash-m", folder=tmp_path / "out", display=bars)
    assert bars.stages == ["read", "calibrate", "convert", "compile", "perf", "analyze"]
    assert found.summary["hbm_model_info"]["BPU march"] == "nash-m"
    assert (tmp_path / "out" / "float.hbm").exists()


def test_mistakes_are_named(tmp_path: Path, compiled: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(HbirError, match="give either a model"):
        analyze(folder=out)
    with pytest.raises(HbirError, match="give --march, such as nash-e"):
        analyze(tmp_path / "net.onnx", folder=out)
    with pytest.raises(HbirError, match=r"expected a \.hbm or an \.onnx"):
        analyze(tmp_path / "net.bc", folder=out)
    (tmp_path / "bad.json").write_text('{"summary": {}}')
    with pytest.raises(HbirError, match='it has no "summary" with "performance"'):
        analyze(perf=tmp_path / "bad.json", folder=out)
    (tmp_path / "bad.json").write_text("[1")
    with pytest.raises(HbirError, match=r"bad\.json: not JSON"):
        analyze(perf=tmp_path / "bad.json", folder=out)
    assert not out.exists()


def test_the_command(
    compiled: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["analyze", "-m", str(compiled)]) == 0
    assert "int16 MAC share" in capsys.readouterr().out
    assert {file.name for file in Path(".hb_analyzer").iterdir()} == FILES
    assert main(["visualize", "-m", str(compiled)]) == 0
    assert "conv2d" in Path(".hb_analyzer/model.txt").read_text()
    (graph,) = hbir.Hbm(compiled).graphs
    assert Path(f".hb_analyzer/{graph.name}.prototxt").read_text().startswith("name: ")
    assert main(["visualize", "-m", "nowhere.hbm"]) == 255
    assert main(["visualize", "-m", "nowhere.txt"]) == 255
    assert "expected one of .hbm, .bc, .onnx" in capsys.readouterr().out
    picture = compiled.with_name("model_quantized_model.bc")
    assert main(["visualize", "-m", str(picture)]) == 0
    assert Path(".hb_analyzer/model_quantized_model.onnx").exists()
    assert main(["analyze", "-m", str(compiled), "--ip", "10.0.0.1"]) == 255
    assert "hbir runs on no board" in capsys.readouterr().out
    assert main(["frobnicate"]) == 255

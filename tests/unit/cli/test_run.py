"""hbir-run: levels from text to .hbm, files written, errors in one line."""

from pathlib import Path

import numpy as np
import pytest

from hbir.cli.run import file_names, main
from hbir.hbm.writer import write_program
from tests.unit.runtime.programs import tiled_convolution

TEXT = """
func.func @f(%x: tensor<2x3xf32> {hbir.name = "in"}) -> (tensor<2x3xf32> {hbir.name = "a/b:0"}) {
  %y = hbir.relu %x : tensor<2x3xf32>
  func.return %y : tensor<2x3xf32>
}
"""


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "relu.mlir"
    path.write_text(TEXT)
    return path


@pytest.fixture
def array(tmp_path: Path) -> Path:
    np.save(tmp_path / "x.npy", np.array([[-1, 0, 1], [2, -3, 4]], np.float32))
    return tmp_path / "x.npy"


def test_a_module_of_text(text: Path, array: Path, tmp_path: Path) -> None:
    assert main([str(text), "-i", f"in={array}", "-o", str(tmp_path / "new" / "out")]) == 0
    result = np.load(tmp_path / "new" / "out" / "a_b_0.npy")
    np.testing.assert_array_equal(result, [[0, 0, 1], [2, 0, 4]])


def test_a_compiled_model(tmp_path: Path) -> None:
    model = tmp_path / "model.hbm"
    write_program(tiled_convolution(), model)
    np.save(tmp_path / "x.npy", np.ones((1, 8, 8, 8), np.int8))
    assert main([str(model), "-i", str(tmp_path / "x.npy"), "-o", str(tmp_path / "out")]) == 0
    assert np.load(tmp_path / "out" / "y.npy").shape == (1, 8, 8, 16)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.hbm", "-o", "out"], "error: nowhere.hbm: no such file"),
        (["nowhere.mlir", "-o", "out"], "error: nowhere.mlir: no such file"),
        (["model.pt", "-o", "out"], "error: model.pt: expected a .onnx, .bc, .mlir or .hbm file"),
        (["{text}", "-o", "out"], "error: the model's inputs are in; missing: -i in=FILE.npy"),
        (["{text}", "-i", "in={array}", "-o", "{array}"], "error: {array}: can't be made"),
        (["{text}", "--function", "g", "-o", "out"], "error: {text}: no function 'g'; there is f"),
        (["{text}"], "error: the following arguments are required: -o/--output-dir"),
    ],
)
def test_errors_are_one_line(
    arguments: list[str],
    message: str,
    text: Path,
    array: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    filled = [a.format(text=text, array=array) for a in arguments]
    try:
        status = main(filled)
    except SystemExit as exit_:
        status = exit_.code
    err = capsys.readouterr().err
    assert status == 1
    assert err.startswith(message.format(text=text, array=array))
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_wrong_shapes_are_named_and_nothing_is_written(
    text: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "x.npy", np.zeros(5, np.float32))
    arguments = [str(text), "-i", f"in={tmp_path / 'x.npy'}", "-o", str(tmp_path / "out")]
    assert main(arguments) == 1
    assert "input 'in' has shape [5], expected [2, 3]" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_output_names_become_file_names() -> None:
    names = file_names(["logits", "a/b", "a:b", "../up", "", "é"])
    assert names["logits"] == "logits.npy"
    assert names["é"] == "é.npy"
    assert len(set(names.values())) == 6
    assert all("/" not in name and not name.startswith(".") for name in names.values())

"""The commands as a user runs them, on the bundled model: compile, run, disassemble."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hbir
from tests.e2e import mnist
from tests.e2e.levels import Array
from tests.models.float_reference import FloatReference

# untyped
_quantization: Any = import_module("onnxruntime.quantization")

BIN = Path(sys.executable).parent


def _run(*arguments: str | Path) -> str:
    """Standard output of a command; fails the test unless it exits with 0."""
    command = [str(BIN / str(arguments[0])), *map(str, arguments[1:])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with model.hbm, every stage in temps, the report and one digit."""
    folder = tmp_path_factory.mktemp("commands")
    calib = mnist.EXAMPLE / "calib.npz"
    options = ["--march", "nash-e", "--calib", calib, "--save-temps", folder / "temps"]
    _run("hbir-compile", mnist.MODEL, "-o", folder / "model.hbm", *options, "--perf", folder)
    np.save(folder / "digit.npy", mnist.digits("test")[0][:1])
    return folder


def _logits(compiled: Path, model: Path) -> Array:
    output = compiled / f"out_{model.name}"
    _run("hbir-run", model, "-i", f"image={compiled / 'digit.npy'}", "-o", output)
    return np.load(output / "logits.npy")


def test_every_stage_runs_and_integers_agree(compiled: Path) -> None:
    exact = _logits(compiled, compiled / "model.hbm")
    assert np.array_equal(exact, _logits(compiled, compiled / "temps" / "quantized.bc"))
    for model in (mnist.MODEL, compiled / "temps" / "qat.bc"):
        close = _logits(compiled, model)
        assert close.argmax() == exact.argmax()
        assert not np.array_equal(close, exact)


def test_compiling_a_saved_stage_gives_the_same_bytes(compiled: Path) -> None:
    again = compiled / "again.hbm"
    stage = compiled / "temps" / "quantized.bc"
    _run("hbir-compile", stage, "-o", again, "--march", "nash-e")
    assert again.read_bytes() == (compiled / "model.hbm").read_bytes()


def test_the_report_and_the_disassembly_name_the_layers(compiled: Path) -> None:
    report = (compiled / "mnist.json").read_text()
    assert "depthwise" in report
    assert "depthwise" in _run("hbir-disas", compiled / "model.hbm")


def test_a_missing_march_ends_in_one_message(tmp_path: Path) -> None:
    command = [str(BIN / "hbir-compile"), str(mnist.MODEL), "-o", str(tmp_path / "m.hbm")]
    done = subprocess.run([*command, "--march", "nash-z"], capture_output=True, text=True)
    assert done.returncode != 0
    assert "nash-z" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


class _Digits(_quantization.CalibrationDataReader):
    def __init__(self) -> None:
        self._images = iter(mnist.digits("calib")[0][:32])

    def get_next(self) -> dict[str, Array] | None:
        image = next(self._images, None)
        return None if image is None else {"image": image[None]}


def test_a_model_that_brings_its_scales_needs_no_calibration(tmp_path: Path) -> None:
    """onnxruntime quantizes the bundled model, asymmetrically; both then read the same digits."""
    model = tmp_path / "qdq.onnx"
    _quantization.quantize_static(mnist.MODEL, model, _Digits(), per_channel=True)
    _run("hbir-compile", model, "-o", tmp_path / "qdq.hbm", "--march", "nash-e")
    reference = FloatReference(model)
    graph = hbir.Hbm(tmp_path / "qdq.hbm").graphs[0]
    images = mnist.digits("test")[0][:50]
    labels = [int(reference({"image": image[None]})["logits"].argmax()) for image in images]
    assert [
        int(graph.feed({"image": image[None]})["logits"].argmax()) for image in images
    ] == labels

"""Two models side by side: modes, outputs, tensors by name."""

import csv
from pathlib import Path

import numpy as np
import pytest

import hbir
from hbir.errors import HbirError
from hbir.ptq import stages
from hbir.ptq.verifier import verify
from hbir.ptq.verifier.verify import CAPTIONS, mode_of
from tests.unit.ptq.small_network import SHAPE, write_network

DATA = np.random.default_rng(3).normal(0, 1, (2, *SHAPE)).astype(np.float32)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    source = write_network(folder / "source.onnx")
    module = hbir.onnx.export(source)
    calibrated = hbir.calibrate(module, [{"x": image} for image in DATA])
    quantized = hbir.convert(calibrated, "nash-e")
    stages.write_optimized_float(module, folder / "optimized.onnx")
    stages.write_ptq(calibrated, folder / "ptq.onnx")
    hbir.save(module, folder / "float.bc")
    hbir.save(calibrated, folder / "qat.bc")
    hbir.save(quantized, folder / "quantized.bc")
    hbir.compile(quantized, folder / "m.hbm", opt=0)
    removed = quantized.clone()
    removed.functions[0].remove_io_op(["Quantize"])
    hbir.save(removed, folder / "removed.bc")
    return folder


@pytest.mark.parametrize(
    ("first", "second", "mode"),
    [
        ("a.onnx", "b.onnx", "cosine"),
        ("a.onnx", "b.bc", "cosine"),
        ("a.bc", "b.bc", "cosine"),
        ("a.bc", "b.hbm", "consistency"),
        ("a.hbm", "b.hbm", "consistency"),
    ],
)
def test_the_pair_chooses_the_mode(first: str, second: str, mode: str) -> None:
    assert mode_of(first, second) == mode_of(second, first) == mode


def test_a_compiled_model_is_the_quantized_one(files: Path) -> None:
    found = verify(files / "quantized.bc", files / "m.hbm", {"x": DATA[0]})
    assert found.ret
    assert found.layers is None
    (output,) = found.outputs
    assert (output.mismatched, output.total, output.max_abs_diff) == (0, 4, 0.0)
    assert "mismatched 0/4 (0.00%)" in found.text()
    assert "ret: True" in found.text()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("source.onnx", "optimized.onnx"),
        ("source.onnx", "float.bc"),
        ("optimized.onnx", "ptq.onnx"),
        ("source.onnx", "quantized.bc"),
        ("ptq.onnx", "quantized.bc"),
        ("float.bc", "qat.bc"),
        ("qat.bc", "quantized.bc"),
    ],
)
def test_tensors_of_any_two_stages(files: Path, first: str, second: str) -> None:
    found = verify(files / first, files / second, {"x": DATA[0]})
    assert found.layers is not None
    names = [layer.name for layer in found.layers]
    assert "x.relu" in names
    assert names[-1] == "y"
    assert all(layer.shape is not None and layer.cosine > 0.999 for layer in found.layers)
    assert found.first_departing is None


def test_the_first_tensor_that_departs_is_named(files: Path) -> None:
    wrong = stages.original_float(files / "source.onnx")
    weights = wrong.graph.initializer[0]
    weights.raw_data = (-np.frombuffer(weights.raw_data, np.float32)).tobytes()
    (files / "wrong.onnx").write_bytes(wrong.SerializeToString())
    found = verify(files / "source.onnx", files / "wrong.onnx")
    assert found.first_departing is not None
    assert found.first_departing.name == "x.conv"
    assert "the first tensor below cosine 0.99 is x.conv" in found.text()
    rows = list(csv.reader(found.csv().splitlines()))
    assert tuple(rows[0]) == CAPTIONS
    assert [row[0] for row in rows[1:]] == ["x.conv", "x.relu", "x.mean", "sum", "y"]


def test_integer_inputs_are_quantized_alike(files: Path) -> None:
    found = verify(files / "quantized.bc", files / "removed.bc", {"x": DATA[0]})
    assert found.ret


def test_models_that_cannot_be_compared(files: Path, tmp_path: Path) -> None:
    other = write_network(tmp_path / "two.onnx", {"a": SHAPE, "b": SHAPE})
    with pytest.raises(HbirError, match="don't take the same inputs"):
        verify(files / "source.onnx", other)
    with pytest.raises(HbirError, match="compare_digits"):
        verify(files / "source.onnx", files / "float.bc", digits=-1)

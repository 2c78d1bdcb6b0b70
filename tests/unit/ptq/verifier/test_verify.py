"""Two models side by side: modes, outputs, tensors by name."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import hbir
from hbir.errors import HbirError
from hbir.hb_runtime import HBRuntime
from hbir.hbm.writer import write_program
from hbir.ptq import compile_yaml, stages
from hbir.ptq.verifier import verify
from hbir.ptq.verifier.verify import CAPTIONS, mode_of
from tests.unit.ptq.small_network import SHAPE, write_config, write_data, write_network

DATA = np.random.default_rng(3).normal(0, 1, (2, *SHAPE)).astype(np.float32)

LAYERS = ["x", "x.relu", "x.mean", "y"]


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
    assert [layer.name for layer in found.layers] == LAYERS
    assert all(layer.equal and layer.max_abs_diff == 0 for layer in found.layers)
    assert found.first_departing is None
    assert found.text().endswith("all 4 tensors agree to 5 digits")
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
        ("source.onnx", "m.hbm"),
        ("m.hbm", "ptq.onnx"),
        ("qat.bc", "m.hbm"),
    ],
)
def test_tensors_of_any_two_stages(files: Path, first: str, second: str) -> None:
    found = verify(files / first, files / second, {"x": DATA[0]})
    names = [layer.name for layer in found.layers]
    assert "x.relu" in names
    assert names[-1] == "y"
    assert all(layer.shape is not None and layer.cosine > 0.999 for layer in found.layers)
    assert found.mode == "cosine"
    assert found.first_departing is None


def test_a_program_of_other_weights_differs_where_they_are_read(files: Path) -> None:
    hbm = hbir.Hbm(files / "m.hbm")
    constants = bytearray(hbm.program.constants)
    program = replace(hbm.program, constants=memoryview(bytes(constants[::-1])))
    write_program(program, files / "other.hbm")
    found = verify(files / "m.hbm", files / "other.hbm", {"x": DATA[0]})
    assert not found.ret
    first = found.first_departing
    assert first is not None
    assert first.name == "x.relu"
    last = found.text().splitlines()[-1]
    assert last == f"the first tensor that differs is x.relu ({first.mismatched}/256 elements)"


@pytest.mark.parametrize(
    ("kind", "trained", "inputs"),
    [
        ("nv12", "bgr", ["x_y", "x_uv"]),
        ("yuv_bt601_video", "rgb", ["x_y", "x_uv"]),
        ("rgb", "bgr", ["x"]),
        ("nv12", "separate", ["x_0_y", "x_0_uv", "x_1_y", "x_1_uv"]),
    ],
)
def test_a_float_model_beside_one_that_is_fed_images(
    tmp_path: Path, kind: str, trained: str, inputs: list[str]
) -> None:
    """Its inputs are what the insertions make of the images, whichever is named first."""
    batch = 2 if trained == "separate" else 1
    shape = (batch, 3, 8, 8)
    write_network(tmp_path / "net.onnx", {"x": shape})
    write_data(tmp_path / "data", shape=shape)
    changes = {
        "input_type_rt": kind,
        "input_type_train": "rgb" if batch == 2 else trained,
        "input_layout_train": "NCHW",
        "mean_value": "120 110 100",
        "scale_value": "0.01 0.012 0.014",
        "separate_batch": batch == 2,
    }
    compile_yaml(write_config(tmp_path, {"input_parameters": changes}))
    hbm, float_model = tmp_path / "out/net.hbm", tmp_path / "out/net_original_float_model.onnx"
    assert HBRuntime(hbm).input_names == inputs
    one, other = verify(hbm, float_model), verify(float_model, hbm)
    assert [layer.name for layer in one.layers] == [layer.name for layer in other.layers]
    assert all(layer.shape is not None for layer in one.layers)
    calibrated = verify(hbm, tmp_path / "out/net_ptq_model.onnx")
    assert calibrated.layers[0].name == "x"
    assert calibrated.layers[0].shape == shape
    assert calibrated.layers[0].cosine > 0.999
    assert min(layer.cosine for layer in (*one.layers, *one.outputs)) > 0.95
    assert one.outputs[0].cosine == other.outputs[0].cosine
    with pytest.raises(
        HbirError, match=r"is fed .* can't be made of the inputs of .*name it first"
    ):
        verify(float_model, hbm, {"x": np.zeros(shape, np.float32)})


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

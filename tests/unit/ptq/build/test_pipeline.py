"""The pipeline: what each key of the YAML does to the modules and files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import pytest

import hbir
from hbir.errors import HbirError
from hbir.ptq.build import Built, build
from hbir.ptq.config import read_config
from hbir.ptq.model_inputs import model_inputs
from hbir.ptq.transformers import BGR2YUVBT601VIDEOTransformer, RGB2YUV444Transformer
from tests.unit.ptq.small_network import SHAPE, Changes, write_config, write_data, write_network

MODEL, INPUT, CALIBRATION = "model_parameters", "input_parameters", "calibration_parameters"
Array = np.ndarray[Any, np.dtype[Any]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Path:
    write_network(tmp_path / "net.onnx")
    write_data(tmp_path / "data")
    return tmp_path


def _build(folder: Path, changes: Changes | None = None, skip: str | None = "compile") -> Built:
    return build(read_config(write_config(folder, changes), model_inputs), skip=skip)


def _outputs(built: Built) -> list[str]:
    assert built.removed is not None
    return [port.name for port in built.removed.functions[0].flatten_outputs]


def _inputs(built: Built) -> dict[str, tuple[tuple[int, ...], str]]:
    assert built.removed is not None
    ports = built.removed.functions[0].flatten_inputs
    return {port.name: (port.type.shape, str(port.type.np_dtype)) for port in ports}


# -------------------------------------------------------------------------------- the model


def test_output_nodes_cut_the_model_and_every_stage_of_it(folder: Path) -> None:
    built = _build(folder, {MODEL: {"output_nodes": "Relu_x;Mean_x"}})
    assert _outputs(built) == ["x.relu", "x.mean"]
    original = onnx.ModelProto.FromString(built.files.path("original_float").read_bytes())
    assert [node.name for node in original.graph.node] == ["Conv_x", "Relu_x", "Mean_x"]
    assert built.table is not None
    assert not any("Sigmoid" in line[0] for line in built.table.node_lines())


def test_a_cut_drops_the_inputs_that_nothing_reads_any_more(folder: Path) -> None:
    write_network(folder / "net.onnx", {"a": SHAPE, "b": SHAPE})
    write_data(folder / "more", count=5)
    names = {"input_name": "a;b", "input_type_rt": "featuremap;featuremap"}
    changes = {
        MODEL: {"output_nodes": "Relu_b"},
        INPUT: {**names, "input_type_train": "featuremap;featuremap"},
        CALIBRATION: {"cal_data_dir": "data;more"},
    }
    built = _build(folder, changes)
    assert list(_inputs(built)) == ["b"]
    assert len(built.data) == 5


def test_input_batch_and_separate_batch(folder: Path) -> None:
    batched = _build(folder, {INPUT: {"input_batch": 3}})
    assert _inputs(batched) == {"x": ((3, 3, 8, 8), "float32")}
    assert len(batched.data) == 1
    split = _build(folder, {INPUT: {"input_batch": 3, "separate_batch": True}})
    assert _inputs(split) == {f"x_{i}": ((1, 3, 8, 8), "float32") for i in range(3)}
    sample = batched.data[0]["x"]
    assert batched.quantized is not None
    assert split.quantized is not None
    (wanted,) = batched.quantized.functions[0].feed({"x": sample}).values()
    parts = {f"x_{i}": sample[i : i + 1] for i in range(3)}
    (found,) = split.quantized.functions[0].feed(parts).values()
    np.testing.assert_array_equal(wanted, found)


def test_a_batch_that_is_written_into_the_model_is_told(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def reshaped(*shape: int) -> None:
        model = onnx.ModelProto.FromString(write_network(folder / "net.onnx").read_bytes())
        target = onnx.numpy_helper.from_array(np.array(shape), "shape")
        model.graph.initializer.append(target)
        model.graph.node.append(onnx.helper.make_node("Reshape", ["y", "shape"], ["z"], "End"))
        model.graph.output[0].name = "z"
        (folder / "net.onnx").write_bytes(model.SerializeToString())

    batched: Changes = {INPUT: {"input_batch": 3}}
    reshaped(-1, 4)
    _build(folder, batched, skip="export")
    assert "input_batch" not in caplog.text
    reshaped(1, -1)
    _build(folder, batched, skip="export")
    assert "input_batch is 3, but output 'z' is [1, 12]" in caplog.text
    reshaped(1, 4)
    with pytest.raises(HbirError, match=r"'End'.*12 elements can't take shape \[1, 4\]"):
        _build(folder, batched, skip="export")


def test_nodes_go_where_the_user_wants_them_and_node_info_wins(folder: Path) -> None:
    changes = {
        MODEL: {"node_info": {"Relu_x": {"ON": "BPU"}}},
        CALIBRATION: {"run_on_cpu": "Relu_x;Sigmoid"},
    }
    built = _build(folder, changes)
    assert built.table is not None
    units = {line[0]: line[2] for line in built.table.node_lines()}
    assert units["Conv_x+Relu_x"] == "BPU"
    assert units["Sigmoid"] == "CPU"


def test_nodes_that_nothing_is_left_of_are_warned_about(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The sum of one input is that input."""
    built = _build(
        folder,
        {MODEL: {"node_info": {"Sum": {"ON": "CPU"}}}, CALIBRATION: {"run_on_cpu": "Sum;Sigmoid"}},
    )
    for key in ("node_info", "run_on_cpu"):
        assert f"{key}: node 'Sum' computes nothing, so this changes nothing" in caplog.text
    assert built.table is not None
    assert {line[2] for line in built.table.node_lines() if line[0] == "Sigmoid"} == {"CPU"}


def test_disabled_units_are_warned_about(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    _build(folder, {MODEL: {"enable_vpu": False}})
    assert "enable_vpu: false keeps ops off the vector unit" in caplog.text


def test_layer_out_dump_gives_what_layers_give_in_the_users_layout(folder: Path) -> None:
    built = _build(folder, {MODEL: {"layer_out_dump": True}})
    assert _outputs(built) == ["y", "x.relu"]
    assert built.quantized is not None
    sample = built.data[0]
    found = built.quantized.functions[0].feed(sample)["x.relu"]
    wanted = _float_output(folder, "Relu_x", sample["x"])
    assert found.shape == wanted.shape == (1, 4, 8, 8)
    assert _cosine(found, wanted) > 0.999


def test_removed_nodes_are_named_in_the_description_and_change_the_ports(folder: Path) -> None:
    built = _build(folder, {MODEL: {"remove_node_type": "Quantize;Dequantize"}})
    assert _inputs(built) == {"x": ((1, 3, 8, 8), "int8")}
    assert built.deleted == ("x_Quantize", "y_Dequantize")
    saved = hbir.load(built.files.path("removed")).functions[0]
    assert json.loads(saved.desc)["DELETED_NODES"] == "x_Quantize;y_Dequantize"
    assert (
        json.loads(hbir.load(built.files.path("quantized")).functions[0].desc)["MARCH"] == "nash-e"
    )


def test_a_node_that_can_not_be_removed_yet_is_named(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Raw accumulators are dequantized before they are transposed to the user's layout."""
    cut = {"output_nodes": "Relu_x", "remove_node_type": "Dequantize"}
    assert _build(folder, {MODEL: cut}).deleted == ()
    why = "x.relu_Dequantize stays: a Transpose stands behind it"
    assert f"remove_node_type: {why}" in caplog.text


def test_names_count_alone_when_nodes_are_removed(folder: Path) -> None:
    changes = {MODEL: {"remove_node_type": "Quantize", "remove_node_name": "y_Dequantize"}}
    assert _build(folder, changes).deleted == ("y_Dequantize",)


def test_files_of_an_earlier_run_are_named(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    _build(folder, {MODEL: {"remove_node_type": "Quantize"}})
    assert "earlier run" not in caplog.text
    _build(folder)
    assert "of an earlier run, not of this one: net_quantized_removed_model.bc" in caplog.text


def test_debug_mode_keeps_what_calibration_saw(folder: Path) -> None:
    built = _build(folder, {MODEL: {"debug_mode": "dump_calibration_data"}}, skip="export")
    files = sorted((built.files.folder / "calibration_data" / "x").glob("*.npy"))
    kept = [np.load(file) for file in files]
    assert len(kept) == len(built.data) == 3
    for sample, array in zip(built.data, kept, strict=True):
        np.testing.assert_array_equal(sample["x"], array)
    (folder / "data" / "2.npy").unlink()
    _build(folder, {MODEL: {"debug_mode": "dump_calibration_data"}}, skip="export")
    assert [file.name for file in files if file.exists()] == ["000000.npy", "000001.npy"]


@pytest.mark.parametrize(
    ("pixels", "mean", "said"),
    [(True, "128", True), (False, "128", False), (False, None, True), (True, None, False)],
)
def test_data_that_are_not_normalised_as_the_file_says_are_warned_about(
    folder: Path, caplog: pytest.LogCaptureFixture, pixels: bool, mean: str | None, said: bool
) -> None:
    image = {"input_type_rt": "nv12", "input_type_train": "rgb", "input_layout_train": "NCHW"}
    numbers = {"mean_value": mean, "scale_value": mean and "0.0078125"}
    for seed, file in enumerate(sorted((folder / "data").iterdir())):
        array = np.random.default_rng(seed).uniform(0, 256, SHAPE)
        np.save(file, array.astype(np.float32) if pixels else array / 128 - 1)
    _build(folder, {INPUT: {**image, **numbers}}, skip="export")
    assert ("cal_data_dir: the data of input 'x' lie in" in caplog.text) == said


def test_the_vendors_variable_keeps_the_modules_around_the_insertions(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HORIZON_TC_UI_DEBUG", "1")
    built = _build(folder, skip="convert")
    for what in ("ptq_module", "inserted_module"):
        assert hbir.load(built.files.path(what)).level == "qat"
    assert not built.files.path("quantized").exists()


def test_without_data_everything_is_built_on_made_up_ones_and_said_so(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    built = _build(folder, {CALIBRATION: {"cal_data_dir": None, "calibration_type": None}})
    assert built.data.random
    assert "The calibration dataset has not been specified" in caplog.text
    assert built.table is not None
    assert {line[4] for line in built.table.node_lines()} == {"--"}


def test_a_model_that_brings_its_scales_needs_no_data(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = _build(folder)
    (folder / "net.onnx").write_bytes(first.files.path("ptq").read_bytes())
    loaded = _build(folder, {CALIBRATION: {"cal_data_dir": None, "calibration_type": "load"}})
    assert "made-up data" not in caplog.text
    assert first.quantized is not None
    assert loaded.quantized is not None
    sample = first.data[0]
    (wanted,) = first.quantized.functions[0].feed(sample).values()
    (found,) = loaded.quantized.functions[0].feed(sample).values()
    np.testing.assert_array_equal(found, wanted)


def test_keys_that_change_nothing_say_so(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    changes = {"compiler_parameters": {"debug": False, "ability_entry": "x"}}
    _build(folder, changes, skip="export")
    for key in ("debug", "ability_entry"):
        assert f"{key}" in caplog.text
    assert caplog.text.count("changes nothing") == 2


def test_advice_names_layers_that_take_longer(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _build(folder, {"compiler_parameters": {"advice": 0.001}}, skip=None)
    assert "advice: layer" in caplog.text
    assert "(Conv_x+Relu_x)" in caplog.text


# ------------------------------------------------------------------------------- the inputs

MEAN, SCALE = (120.0, 110.0, 100.0), (0.02, 0.015, 0.01)
PAIRS = [
    ("rgb", "rgb"), ("rgb", "bgr"), ("rgb", "nv12"), ("rgb", "yuv444"), ("rgb", "yuv444_128"),
    ("rgb", "yuv_bt601_full"), ("rgb", "yuv_bt601_video"), ("bgr", "bgr"), ("bgr", "rgb"),
    ("bgr", "nv12"), ("bgr", "yuv444"), ("yuv444", "yuv444"), ("yuv444", "nv12"), ("gray", "gray"),
]  # fmt: skip


@pytest.mark.parametrize(("train", "runtime"), PAIRS)
def test_the_board_may_feed_every_type_that_the_training_type_comes_from(
    folder: Path, train: str, runtime: str
) -> None:
    """The float network on the picture as it was trained, and the quantized one on it as the board
    feeds it, give the same features."""
    picture = _picture()  # (8, 8, 3), RGB
    trained = _normalized(_as_trained(picture, train), train)
    shape = trained.shape
    if train == "gray":
        _write_gray_network(folder / "net.onnx")
    for file in (folder / "data").iterdir():
        file.unlink()
    np.save(folder / "data" / "0.npy", trained)
    channels = 1 if train == "gray" else 3
    changes = {
        MODEL: {"output_nodes": "Relu_x"},
        INPUT: {
            "input_type_rt": runtime,
            "input_type_train": train,
            "input_layout_train": "NCHW",
            "mean_value": " ".join(map(str, MEAN[:channels])),
            "scale_value": ",".join(map(str, SCALE[:channels])),
        },
    }
    built = _build(folder, changes)
    assert built.quantized is not None
    wanted = _float_output(folder, "Relu_x", trained)
    feed = _as_fed(picture, runtime)
    assert {name: array.shape for name, array in feed.items()} == {
        name: given for name, (given, _) in _inputs(built).items()
    }
    (found,) = built.quantized.functions[0].feed(feed).values()
    assert shape[1] == channels
    assert _cosine(wanted, found) > 0.995


def _write_gray_network(path: Path) -> None:
    write_network(path)
    model = onnx.ModelProto.FromString(path.read_bytes())
    weight = model.graph.initializer[0]
    array = onnx.numpy_helper.to_array(weight)[:, :1]
    weight.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(array), weight.name))
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 1
    path.write_bytes(model.SerializeToString())


def _picture() -> Array:
    """Colours of 2×2 pixels each, so that nv12 loses nothing; far from the limits of RGB."""
    small = np.random.default_rng(2).integers(60, 196, (4, 4, 3))
    return small.repeat(2, axis=0).repeat(2, axis=1).astype(np.uint8)


def _yuv(picture: Array, *, video: bool = False) -> Array:
    chw = picture.transpose(2, 0, 1)
    if video:
        (result,) = BGR2YUVBT601VIDEOTransformer("CHW")([chw[::-1]])
    else:
        (result,) = RGB2YUV444Transformer("CHW")([chw])
    return np.asarray(result).transpose(1, 2, 0).round().astype(np.uint8)


def _as_trained(picture: Array, train: str) -> Array:
    if train == "gray":
        return picture[..., :1]
    if train == "yuv444":
        return _yuv(picture)
    return picture if train == "rgb" else picture[..., ::-1]


def _normalized(pixels: Array, train: str) -> Array:
    channels = pixels.shape[-1]
    values = (pixels.astype(np.float64) - MEAN[:channels]) * SCALE[:channels]
    return np.ascontiguousarray(values.transpose(2, 0, 1)[np.newaxis], np.float32)


def _as_fed(picture: Array, runtime: str) -> Mapping[str, Array]:
    if runtime == "gray":
        return {"x_y": picture[np.newaxis, ..., :1]}
    if runtime in ("nv12", "yuv_bt601_full", "yuv_bt601_video"):
        yuv = _yuv(picture, video=runtime == "yuv_bt601_video")
        return {"x_y": yuv[np.newaxis, ..., :1], "x_uv": yuv[np.newaxis, ::2, ::2, 1:]}
    pixels = {"rgb": picture, "bgr": picture[..., ::-1]}.get(runtime)
    if pixels is None:
        pixels = _yuv(picture)
    return {"x": (pixels[np.newaxis].astype(np.int16) - 128).astype(np.int8)}


def _float_output(folder: Path, node: str, value: Array) -> Array:
    import onnxruntime

    model = onnx.ModelProto.FromString((folder / "net.onnx").read_bytes())
    name = next(made.output[0] for made in model.graph.node if made.name == node)
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return np.asarray(cast(Any, session).run([name], {"x": value})[0])


def _cosine(a: Array, b: Array) -> float:
    x, y = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))


def test_each_image_of_a_batch_may_have_planes_of_its_own(folder: Path) -> None:
    """The same features from planes per image, from planes of the batch, and all on the BPU."""
    image = {"input_type_rt": "nv12", "input_type_train": "rgb", "input_layout_train": "NCHW"}
    image |= {"mean_value": "128", "std_value": "64"}
    cut = {MODEL: {"output_nodes": "Relu_x"}}
    together = _build(folder, {**cut, INPUT: {**image, "input_batch": 2}})
    apart = _build(folder, {**cut, INPUT: {**image, "input_batch": 2, "separate_name": "x"}})
    assert _inputs(together) == {
        "x_y": ((2, 8, 8, 1), "uint8"),
        "x_uv": ((2, 4, 4, 2), "uint8"),
    }
    assert list(_inputs(apart)) == ["x_0_y", "x_0_uv", "x_1_y", "x_1_uv"]
    generator = np.random.default_rng(3)
    feed = {
        name: generator.integers(0, 256, shape).astype(np.uint8)
        for name, (shape, _) in _inputs(together).items()
    }
    parts = {
        f"x_{i}_{plane}": feed[f"x_{plane}"][i : i + 1] for i in range(2) for plane in ("y", "uv")
    }
    assert together.quantized is not None
    assert apart.quantized is not None
    for built in (together, apart):
        assert built.table is not None
        assert {line[2] for line in built.table.node_lines()} == {"BPU"}
    (wanted,) = together.quantized.functions[0].feed(feed).values()
    (found,) = apart.quantized.functions[0].feed(parts).values()
    np.testing.assert_array_equal(wanted, found)
    assert not any("hbtl" in name for name in apart.quantized.functions[0].statistics())


@pytest.mark.parametrize("train", ["rgb", "gray"])
def test_planes_keep_their_shape_whatever_is_removed(
    folder: Path, caplog: pytest.LogCaptureFixture, train: str
) -> None:
    """How the machine reads a plane, by rows, is no node of the network."""
    if train == "gray":
        _write_gray_network(folder / "net.onnx")
    image = {"input_type_train": train, "input_layout_train": "NCHW"}
    image["input_type_rt"] = "nv12" if train == "rgb" else train
    everything = "Quantize;Transpose;Dequantize;Cast;Reshape;Softmax"
    changes = {
        MODEL: {"remove_node_type": everything},
        INPUT: image,
        CALIBRATION: {"calibration_type": "skip"},
    }
    planes = {"x_y": ((1, 8, 8, 1), "uint8"), "x_uv": ((1, 4, 4, 2), "uint8")}
    wanted = {name: planes[name] for name in ("x_y", "x_uv")[: 2 if train == "rgb" else 1]}
    assert _inputs(_build(folder, changes)) == wanted
    assert "stays" not in caplog.text


def test_advice_names_the_unit_of_every_op_and_why_it_is_the_cpu(folder: Path) -> None:
    built = _build(folder, {CALIBRATION: {"run_on_cpu": "Relu_x"}})
    entries = json.loads(built.files.path("advice").read_text())
    assert {entry["backend"] for entry in entries} == {"bpu", "vpu", "external_cpu"}
    for entry in entries:
        assert ("choice_reason" in entry) == (entry["backend"] == "external_cpu")
        assert {"loc", "op", "tensor_names"} <= set(entry)
    wanted = [e["choice_reason"] for e in entries if e.get("choice_reason")]
    assert any('the user wants "Relu_x" on the CPU' in reason for reason in wanted)

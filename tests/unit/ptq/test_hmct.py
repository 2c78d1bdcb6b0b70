"""HMCT's names: models and data from memory, and the files of the stages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from hbir.errors import HbirError
from hbir.module import Module
from hbir.ptq import hmct, stages
from hbir.ptq.hmct import build_model, check_model
from hbir.ptq.stages import optimized
from tests.unit.ptq.small_network import SHAPE, write_network


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_network(tmp_path / "net.onnx")
    return tmp_path


def _arrays(count: int = 3) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    generator = np.random.default_rng(1)
    return [generator.normal(size=SHAPE).astype(np.float32) for _ in range(count)]


def test_a_model_comes_back_quantized_and_its_stages_are_written(folder: Path) -> None:
    proto = build_model("net.onnx", "nash-e", _arrays(), name_prefix="small")
    assert any(node.op_type == "QuantizeLinear" for node in proto.graph.node)
    assert {path.name for path in folder.glob("small_*_model.onnx")} == {
        "small_original_float_model.onnx",
        "small_optimized_float_model.onnx",
        "small_calibrated_model.onnx",
        "small_ptq_model.onnx",
    }
    for path in folder.glob("small_*_model.onnx"):
        onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def test_each_level_is_optimized_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    levels: list[str] = []

    def counted(module: Module) -> Module:
        levels.append(module.level)
        return optimized(module)

    for place in (hmct, stages):
        monkeypatch.setattr(place, "optimized", counted)
    build_model(str(folder / "net.onnx"), "nash-e", _arrays())
    assert levels == ["float", "qat"]


def test_a_model_with_scales_keeps_them(folder: Path) -> None:
    first = build_model("net.onnx", "nash-e", _arrays(), save_model=False)
    again = build_model(first, "nash-e", [10 * array for array in _arrays()], save_model=False)
    scales: list[dict[str, float]] = []
    for proto in (first, again):
        values = {tensor.name: tensor for tensor in proto.graph.initializer}
        found = [node for node in proto.graph.node if node.op_type == "QuantizeLinear"]
        scales.append(
            {n.name: float(onnx.numpy_helper.to_array(values[n.input[1]])) for n in found}
        )
    assert set(scales[0].values()) <= set(scales[1].values())


def test_data_by_name_a_config_and_nothing_written(folder: Path) -> None:
    proto = onnx.ModelProto.FromString((folder / "net.onnx").read_bytes())
    config = {"model_config": {"all_node_type": "int16"}}
    built = build_model(proto, cali_data={"x": _arrays()}, quant_config=config, save_model=False)
    kinds = {i.data_type for i in built.graph.initializer}
    assert onnx.TensorProto.INT16 in kinds
    assert not list(folder.glob("*_model.onnx"))


def test_an_open_input_takes_its_shape_from_input_dict(folder: Path) -> None:
    write_network(folder / "net.onnx", {"x": (1, 3, "h", 8)})
    shapes = {"x": {"input_shape": [1, 3, 16, 8]}}
    rows = check_model("net.onnx", "nash", shapes)
    assert {row.unit for row in rows} == {"BPU"}
    built = build_model("net.onnx", input_dict=shapes, check_mode=True, save_model=False)
    dims = built.graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_value for dim in dims] == [1, 3, 16, 8]


def test_mistakes(folder: Path) -> None:
    with pytest.raises(HbirError, match="give a model as onnx_model"):
        build_model()
    with pytest.raises(HbirError, match="debug_methods can't be given here"):
        build_model("net.onnx", debug_methods=["x"])
    write_network(folder / "two.onnx", {"a": SHAPE, "b": SHAPE})
    with pytest.raises(HbirError, match="give a dict by name: a, b"):
        build_model("two.onnx", cali_data=_arrays())
    with pytest.raises(HbirError, match="different numbers of samples: 'a' has 1, others"):
        build_model("two.onnx", cali_data={"a": _arrays(1), "b": _arrays(2)})
    with pytest.raises(HbirError, match="input 'x': expected its arrays, got a str"):
        build_model("net.onnx", cali_data="data")
    with pytest.raises(HbirError, match="batch 1: input 'x' is no array: setting an array"):
        build_model("net.onnx", cali_data=[[[1], [1, 2]]])
    wrong: Any = {"x": 5}
    with pytest.raises(HbirError, match=r"input_dict\.x: expected an object, got 5"):
        check_model("net.onnx", "nash-e", wrong)
    assert not list(folder.glob("*_model.onnx"))


def test_samples_may_come_from_generators() -> None:
    def found(data: Any) -> bytes:
        built = build_model("net.onnx", cali_data=data, save_model=False)
        return built.SerializeToString()

    wanted = found(_arrays(9))
    assert found(array for array in _arrays(9)) == wanted
    assert found({"x": iter(_arrays(9))}) == wanted
    assert found(np.stack(_arrays(9))) == wanted


def test_a_model_may_be_cut_and_its_nodes_placed() -> None:
    proto = onnx.ModelProto.FromString(Path("net.onnx").read_bytes())
    whole = proto.SerializeToString()
    wide = {"Conv_x": {"OutputType": "int16"}}
    config = {"node_config": {"Conv_x": {"output": "int8"}}}
    built = build_model(
        proto, "nash-e", _arrays(), config,
        output_nodes=["Relu_x"], node_dict=wide, save_model=False,
    )  # fmt: skip
    assert [port.name for port in built.graph.output] == ["x.relu"]
    assert {i.data_type for i in built.graph.initializer} & {onnx.TensorProto.INT16}
    assert proto.SerializeToString() == whole

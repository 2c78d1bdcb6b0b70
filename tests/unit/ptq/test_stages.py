"""The four stage files of a small network: names, layouts, and what they compute."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import hbir
from hbir.errors import HbirError
from hbir.exporters.onnx import file as onnx_file
from hbir.hb_runtime import HBRuntime
from hbir.module import Module
from hbir.ptq import stages
from tests.unit.ptq.small_network import SHAPE, write_network

Array = np.ndarray[Any, Any]
_onnx: Any = onnx  # its functions are typed only in part


@dataclass
class Written:
    """The files, and the modules that they were written from."""

    folder: Path
    module: Module
    calibrated: Module
    feed: dict[str, Array]

    def path(self, stage: str) -> Path:
        return self.folder / f"{stage}.onnx"

    def run(self, stage: str) -> Array:
        return HBRuntime(self.path(stage)).run(None, self.feed)[0]

    def names(self, stage: str) -> list[tuple[str, str]]:
        model = _onnx.load(self.path(stage))
        return [(node.name, node.op_type) for node in model.graph.node]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("stages")
    source = write_network(folder / "source.onnx")
    module = hbir.onnx.export(source)
    generator = np.random.default_rng(1)
    feeds = [{"x": generator.normal(0, 1, SHAPE).astype(np.float32)} for _ in range(3)]
    calibrated = hbir.calibrate(module, feeds[:2])
    result = Written(folder, module, calibrated, feeds[2])
    stages.write_original_float(source, None, result.path("original_float"))
    stages.write_optimized_float(module, result.path("optimized_float"))
    stages.write_calibrated(calibrated, result.path("calibrated"))
    stages.write_ptq(calibrated, result.path("ptq"))
    return result


@pytest.mark.parametrize("stage", stages.STAGES)
def test_ports_and_opset_are_as_promised(written: Written, stage: str) -> None:
    session = HBRuntime(written.path(stage))
    assert (session.input_names, session.input_shapes) == (["x"], [SHAPE])
    assert session.output_names == ["y"]
    assert _onnx.load(written.path(stage)).opset_import[0].version == 19


def test_float_stages_give_the_same(written: Written) -> None:
    wanted = written.module.functions[0].feed(written.feed)["y"]
    for stage in ("original_float", "optimized_float"):
        np.testing.assert_allclose(written.run(stage), wanted, rtol=1e-4)


def test_rounded_stages_give_what_their_modules_give(written: Written) -> None:
    modules = {
        "calibrated": stages.calibrated_float(written.calibrated),
        "ptq": stages.quantized_float(written.calibrated),
    }
    for stage, module in modules.items():
        wanted = module.functions[0].feed(written.feed)["y"]
        np.testing.assert_allclose(written.run(stage), wanted, atol=1 / 255)


def test_the_ptq_stage_is_close_to_the_integers(written: Written) -> None:
    quantized = hbir.convert(written.calibrated, "nash-e")
    wanted = quantized.functions[0].feed(written.feed)["y"]
    np.testing.assert_allclose(written.run("ptq"), wanted, atol=2 / 255)


def test_nodes_keep_their_names(written: Written) -> None:
    wanted = [("Conv_x", "Conv"), ("Relu_x", "Relu"), ("Mean_x", "GlobalAveragePool")]
    wanted.append(("Sigmoid", "Sigmoid"))  # whose last op, a reshape, is no node
    for stage in stages.STAGES:
        assert [pair for pair in written.names(stage) if pair in wanted] == wanted
    assert ("x.relu_HzCalibration", "HzCalibration") in written.names("calibrated")
    assert ("x.relu_QuantizeLinear", "QuantizeLinear") in written.names("ptq")


def test_weights_are_integers_under_their_name(written: Written) -> None:
    model = _onnx.load(written.path("ptq"))
    kinds = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    assert kinds["x.weight_quantized"] == TensorProto.INT8
    assert "x.weight" not in kinds


def test_a_torch_module_is_its_own_original(written: Written, tmp_path: Path) -> None:
    stages.write_original_float(written.module, None, tmp_path / "m.onnx")
    (got,) = HBRuntime(tmp_path / "m.onnx").run(None, written.feed)
    np.testing.assert_allclose(got, written.module.functions[0].feed(written.feed)["y"], rtol=1e-4)


def test_open_extents_are_fixed_and_nodes_named(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, "h"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3, "h"])],
    )
    source = tmp_path / "m.onnx"
    opsets = [helper.make_opsetid("", 11)]
    _onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), source)
    stages.write_original_float(source, {"x": (2, 3, 5)}, tmp_path / "o.onnx")
    model = _onnx.load(tmp_path / "o.onnx")
    assert model.graph.node[0].name == "Relu_0"
    session = HBRuntime(tmp_path / "o.onnx")
    assert session.input_shapes == session.output_shapes == [(2, 3, 5)]
    assert model.opset_import[0].version == 19
    with pytest.raises(HbirError, match="input_shape"):
        stages.write_original_float(source, None, tmp_path / "p.onnx")
    assert not (tmp_path / "p.onnx").exists()


def test_a_model_that_cannot_be_converted_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])],
    )
    opsets = [helper.make_opsetid("", 21)]
    _onnx.save(helper.make_model(graph, opset_imports=opsets), tmp_path / "m.onnx")
    stages.write_original_float(tmp_path / "m.onnx", None, tmp_path / "o.onnx")
    assert _onnx.load(tmp_path / "o.onnx").opset_import[0].version == 21
    assert "stays at opset 21" in caplog.text


def test_what_no_onnx_file_holds_is_said(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_file, "PROTOBUF_LIMIT", 100)
    with pytest.raises(HbirError, match=r"bytes, an \.onnx file holds at most 100"):
        stages.write_optimized_float(written.module, tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())

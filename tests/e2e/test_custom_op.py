"""Section custom_op of the YAML: a user's Python op through the whole of hb_compile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from hbir.cli.hb_compile import main
from hbir.hbm import Hbm
from hbir.kernels import custom as registry
from tests.unit.ptq.small_network import SHAPE, write_config, write_data, write_network

_onnx: Any = onnx  # its `load` and `save` are typed only in part

FILE = """
from hbir.custom import register_op

@register_op("Swirl", domain="my.ops")
def swirl(x, *, gain):
    return x * x.dtype.type(gain)
"""


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]  (autouse)
    """A network whose Relu is followed by the custom op, data, and the op's file in `ops`."""
    monkeypatch.setattr(registry, "_ops", {})
    monkeypatch.chdir(tmp_path)
    model = _onnx.load(write_network(tmp_path / "net.onnx"))
    (mean,) = [node for node in model.graph.node if node.op_type == "GlobalAveragePool"]
    swirl = onnx.helper.make_node(
        "Swirl", [mean.input[0]], ["swirled"], "Swirl_0", domain="my.ops", gain=2.0
    )
    mean.input[0] = "swirled"
    model.graph.node.insert(list(model.graph.node).index(mean), swirl)
    model.opset_import.append(onnx.helper.make_opsetid("my.ops", 1))
    _onnx.save(model, "net.onnx")
    write_data(tmp_path / "data")
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops" / "swirl.py").write_text(FILE)


def test_the_op_is_registered_and_compiled(tmp_path: Path) -> None:
    section = {
        "custom_op_method": "register",
        "op_register_files": "swirl.py",
        "custom_op_dir": "ops",
    }
    write_config(tmp_path, {"custom_op": section})
    assert main(["-c", "net.yaml"]) == 0
    rows = (tmp_path / "out" / "net_node_info.csv").read_text()
    assert "Swirl_0" in rows
    calibrated = _onnx.load("out/net_calibrated_model.onnx")
    assert ("my.ops", "Swirl") in {(n.domain, n.op_type) for n in calibrated.graph.node}
    graph = Hbm(tmp_path / "out" / "net.hbm").graphs[0]
    x = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    (found,) = graph.feed({"x": x}).values()
    assert found.shape[1] == 4


def test_without_the_section_the_message_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_config(tmp_path)
    assert main(["-c", "net.yaml"]) == 255
    assert "register its Python function first" in capsys.readouterr().out

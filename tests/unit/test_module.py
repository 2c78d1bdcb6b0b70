"""Modules and functions as users hold them: names, types, feeding, and wrong inputs."""

import subprocess
import sys

import numpy as np
import pytest

import hbir
from hbir.errors import HbirError
from hbir.module import Module

TEXT = """
func.func @main(%x: tensor<1x4xf32> {hbir.name = "image"}, %k: tensor<4xf32> {hbir.name = "k"})
    -> (tensor<1x4xf32> {hbir.name = "logits"}) {
  %a = hbir.add %x, %k {origin = #hbir.origin<"sum", from "Add_0" "Add">} : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xf32>
  %r = hbir.relu %a {origin = #hbir.origin<"logits", from "Relu_1" "Relu">} : tensor<1x4xf32>
  func.return %r : tensor<1x4xf32>
}
"""


@pytest.fixture
def module() -> Module:
    return Module.parse(TEXT)


def test_ports_go_by_position_and_by_name(module: Module) -> None:
    function = module.functions[0]
    assert [port.name for port in function.flatten_inputs] == ["image", "k"]
    assert function.flatten_inputs["image"].type.shape == (1, 4)
    assert function.flatten_outputs[0].type.np_dtype == np.float32
    assert module["main"].name == module[0].name
    with pytest.raises(HbirError, match="no function 'other'; it has main"):
        module["other"]


def test_feed_and_call_agree(module: Module) -> None:
    image, k = np.array([[-3, 1, 2, 3]], np.float32), np.ones(4, np.float32)
    fed = module.functions[0].feed({"k": k, "image": image})
    assert list(fed) == ["logits"]
    np.testing.assert_array_equal(fed["logits"], [[0, 2, 3, 4]])
    np.testing.assert_array_equal(module.functions[0](image, k), fed["logits"])


def test_listener_gets_every_named_tensor(module: Module) -> None:
    seen: dict[str, np.ndarray] = {}
    inputs = {"image": np.zeros((1, 4), np.float32), "k": np.ones(4, np.float32)}
    module.functions[0].feed(inputs, listener=lambda name, array, op: seen.update({name: array}))
    assert {"sum", "logits"} <= set(seen)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"image": np.zeros((1, 4), np.float32)}, "missing 'k'"),
        ({"image": 0, "k": 0, "z": 0}, "unknown 'z'"),
        ({"image": np.zeros((4,), np.float32), "k": np.zeros(4)}, r"'image' has shape \[4\]"),
        ({"image": np.zeros((1, 4), complex), "k": np.zeros(4)}, "dtype complex128"),
    ],
)
def test_wrong_inputs_are_said(module: Module, inputs: dict[str, object], message: str) -> None:
    with pytest.raises(HbirError, match=message):
        module.functions[0].feed(inputs)


def test_clone_is_independent(module: Module) -> None:
    copy = module.clone()
    copy.level = "qat"
    assert module.level == "float"
    assert str(copy) != str(module)


def test_statistics_count_ops(module: Module) -> None:
    assert hbir.statistics(module, expand_fusion=False) == [{"hbir.add": 1, "hbir.relu": 1}]


def test_import_pulls_nothing_heavy() -> None:
    probe = (
        "import sys, hbir; print([m for m in ('numpy','xdsl','onnx','torch') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_import_alone_reaches_the_frontend() -> None:
    probe = (
        "import hbir; print(hbir.onnx.export.__module__, hbir.March.NASH_E is hbir.March.nash_e)"
    )
    out = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["hbir.onnx", "True"]

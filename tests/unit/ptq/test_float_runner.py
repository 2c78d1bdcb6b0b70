"""onnxruntime sees the same tensors as the interpreter."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import hbir.onnx
from hbir.module import Module
from hbir.ptq.float_runner import fastest_runner, onnxruntime_runner
from hbir.quantization.calibrate import optimized
from hbir.quantization.observe import name_all, observe
from hbir.quantization.statistics import Wanted
from tests.e2e import mnist
from tests.models import ppocr

WANTED = Wanted(histograms=True, channels=True)


Network = Callable[[], tuple[Module, list[dict[str, Any]]]]


def direction() -> tuple[Module, list[dict[str, Any]]]:
    shapes = {ppocr.INPUT_NAME: ppocr.DIRECTION_SHAPE}
    module = hbir.onnx.export(ppocr.DIRECTION["v4"].path(), input_shapes=shapes)
    lines, _ = ppocr.direction_lines(3, seed=1)
    return module, [{ppocr.INPUT_NAME: line} for line in lines]


def digits() -> tuple[Module, list[dict[str, Any]]]:
    return hbir.onnx.export(mnist.MODEL), mnist.feeds(mnist.digits("calib")[0][:5])


@pytest.mark.parametrize("network", [digits, direction])
def test_the_same_is_observed(network: Network) -> None:
    module, data = network()
    float_module = optimized(module)
    name_all(float_module.functions[0].op)
    assert onnxruntime_runner(float_module) is not None
    wanted = observe(float_module, data, WANTED)
    found = observe(float_module, data, WANTED, runner_of=fastest_runner)
    assert found.tensors.keys() == wanted.tensors.keys()
    assert found.means.keys() == wanted.means.keys()
    for number, statistics in wanted.tensors.items():
        other = found.tensors[number]
        scale = max(map(abs, statistics.extremes())) + 1e-6
        assert other.extremes() == pytest.approx(statistics.extremes(), abs=1e-4 * scale)
        assert statistics.channels is not None
        assert other.channels is not None
        assert other.channels[1] == pytest.approx(statistics.channels[1], abs=1e-4 * scale)
    for number, mean in wanted.means.items():
        assert found.means[number].mean() == pytest.approx(mean.mean(), rel=1e-3, abs=1e-4)


def test_without_onnxruntime_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert onnxruntime_runner(optimized(digits()[0])) is None


def test_a_network_that_computes_nothing_can_be_run() -> None:
    """onnxruntime gives all outputs where none is asked for."""
    module = Module.parse("""
    func.func @main(%x: tensor<1x2xf32> {hbir.name = "x"}) -> (tensor<1x2xf32> {hbir.name = "y"}) {
      func.return %x : tensor<1x2xf32>
    }""")
    data = [{"x": np.ones((1, 2), np.float32)}]
    seen = observe(module, data, Wanted(), runner_of=fastest_runner)
    assert seen.tensors.keys() == observe(module, data, Wanted()).tensors.keys()

"""QDQ models of onnxruntime's quantizer: our integers against onnxruntime running the same model.

onnxruntime requantizes in float32, hbir with a 15-bit multiplier and one rounding, so an element
may differ by a step where a value lies near a tie, and by another behind each further layer.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime.quantization as ort_quantization  # pyright: ignore[reportMissingTypeStubs]  (none)
import pytest
from onnx import TensorProto, helper, numpy_helper

import hbir
import hbir.onnx
from hbir.ir.types import Array
from tests.models.float_reference import FloatReference

_quantization: Any = ort_quantization

SHAPE = (1, 4, 12, 12)
STEPS = 2
# A multiplier of 15 bits is off by up to one 16-bit step, a zero point's share of the sum by more.
WIDE_STEPS = 16


def small_cnn(rng: np.random.Generator, opset: int = 17) -> onnx.ModelProto:
    """Conv, relu, depthwise conv, residual add, max pool, concat, average, linear."""
    weights: dict[str, Array] = {
        "w1": rng.normal(0, 0.3, (8, 4, 3, 3)),
        "b1": rng.normal(0, 0.5, 8),
        "w2": rng.normal(0, 0.5, (8, 1, 3, 3)),
        "w3": rng.normal(0, 0.4, (8, 8, 1, 1)),
        "w4": rng.normal(0, 0.3, (5, 16)),
        "b4": rng.normal(0, 0.5, 5),
    }
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], "c1", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"], "r1"),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], "c2", pads=[1, 1, 1, 1], group=8),
        helper.make_node("Conv", ["c2", "w3"], ["c3"], "c3"),
        helper.make_node("Add", ["c3", "r1"], ["a"], "a"),
        helper.make_node("Relu", ["a"], ["r2"], "r2"),
        helper.make_node("MaxPool", ["r2"], ["m"], "m", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("AveragePool", ["r1"], ["v"], "v", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Concat", ["m", "v"], ["k"], "k", axis=1),
        helper.make_node("GlobalAveragePool", ["k"], ["g"], "g"),
        helper.make_node("Flatten", ["g"], ["f"], "f"),
        helper.make_node("Gemm", ["f", "w4", "b4"], ["y"], "y", transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "cnn",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 5))],
        [numpy_helper.from_array(w.astype(np.float32), name) for name, w in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8 if opset < 21 else 10
    return model


class Batches:
    """onnxruntime's reader protocol over a list."""

    def __init__(self, arrays: list[Array]) -> None:
        self._arrays = iter(arrays)

    def get_next(self) -> dict[str, Array] | None:
        array = next(self._arrays, None)
        return None if array is None else {"x": array}


def quantized_by_onnxruntime(
    folder: Path,
    model: onnx.ModelProto,
    activations: str,
    per_channel: bool,
    batches: list[Array],
    weights: str = "QInt8",
) -> onnx.ModelProto:
    source, target = folder / "float.onnx", folder / "qdq.onnx"
    source.write_bytes(model.SerializeToString())
    _quantization.quantize_static(
        str(source),
        str(target),
        Batches(batches),
        quant_format=_quantization.QuantFormat.QDQ,
        activation_type=getattr(_quantization.QuantType, activations),
        weight_type=getattr(_quantization.QuantType, weights),
        per_channel=per_channel,
        extra_options={"ActivationSymmetric": False},
    )
    return onnx.ModelProto.FromString(target.read_bytes())


@pytest.mark.parametrize("activations", ["QInt16", "QUInt16"])
@pytest.mark.parametrize("weights", ["QInt8", "QInt16"])
def test_a_qdq_model_of_16_bits_stays_close(tmp_path: Path, activations: str, weights: str) -> None:
    rng = np.random.default_rng(12)
    batches = [rng.normal(size=SHAPE).astype(np.float32) for _ in range(4)]
    model = quantized_by_onnxruntime(
        tmp_path, small_cnn(rng, 21), activations, True, batches, weights
    )
    reference = FloatReference(model)
    quantized = hbir.convert(hbir.onnx.export(model), "nash-e").functions[0]
    assert not any("hbtl" in name for name in quantized.statistics()), quantized.statistics()
    for batch in batches:
        wanted, found = reference({"x": batch})["y"], quantized.feed({"x": batch})["y"]
        step = float(np.abs(wanted).max()) / 32768
        assert np.abs(wanted - found).max() <= WIDE_STEPS * step


@pytest.mark.parametrize("activations", ["QInt8", "QUInt8"])
@pytest.mark.parametrize("per_channel", [False, True])
def test_a_qdq_model_gives_onnxruntimes_integers(
    tmp_path: Path, activations: str, per_channel: bool
) -> None:
    rng = np.random.default_rng(11)
    batches = [rng.normal(size=SHAPE).astype(np.float32) for _ in range(4)]
    model = quantized_by_onnxruntime(tmp_path, small_cnn(rng), activations, per_channel, batches)
    reference = FloatReference(model)
    quantized = hbir.convert(hbir.onnx.export(model), "nash-e").functions[0]
    assert not any("hbtl" in name for name in quantized.statistics()), quantized.statistics()
    (step,) = [
        float(numpy_helper.to_array(tensor))
        for tensor in model.graph.initializer
        if tensor.name == "y_scale"
    ]
    for batch in batches:
        wanted, found = reference({"x": batch})["y"], quantized.feed({"x": batch})["y"]
        assert np.abs(wanted).max() > 20 * step
        assert np.abs(wanted - found).max() <= (STEPS + 0.01) * step

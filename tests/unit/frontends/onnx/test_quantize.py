"""QDQ models: the grids are exactly those of the file."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime  # pyright: ignore[reportMissingTypeStubs]  (it ships none)
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnxruntime import quantization  # pyright: ignore[reportMissingTypeStubs]  (it ships none)

from hbir.frontends.onnx.values import QuantizationParameters
from hbir.kernels.quantize import scales_and_zero_points
from hbir.module import Module
from hbir.onnx import export
from tests.unit.frontends.onnx.oracle import (
    Array,
    check,
    count,
    cpu_operators,
    model_of,
    node,
    random,
    reasons,
)

_runtime: Any = onnxruntime
_quantization: Any = quantization
_onnx: Any = onnx  # its `load` and `save` are typed only in part

SHAPE = (1, 3, 10, 8)


@settings(max_examples=200)
@given(
    st.sampled_from([8, 16]),
    st.lists(
        st.tuples(st.floats(2**-40, 2**20, width=32), st.integers(-(2**15), 2**15 - 1)),
        min_size=1,
        max_size=4,
    ),
)
def test_bounds_give_back_scale_and_zero_point(bits: int, grid: list[tuple[float, int]]) -> None:
    span = 2 ** (bits - 1)
    zeros = tuple(max(-span, min(span - 1, zero)) for _, zero in grid)
    scales = tuple(scale for scale, _ in grid)
    low, high = QuantizationParameters(bits, scales, zeros, None).bounds()
    got_scales, got_zeros = scales_and_zero_points(bits, low, high, narrow_range=False)
    assert tuple(float(s) for s in got_scales) == scales
    assert tuple(int(z) for z in got_zeros) == zeros


def float_model() -> onnx.ModelProto:
    """Conv, Relu, depthwise Conv, Add, pool, Flatten, Gemm."""
    nodes = [
        node("Conv", ["x", "w1", "b1"], ["a"], pads=[1, 1, 1, 1]),
        node("Relu", ["a"], ["b"]),
        node("Conv", ["b", "w2"], ["c"], group=8, pads=[1, 1, 1, 1]),
        node("Add", ["b", "c"], ["d"]),
        node("GlobalAveragePool", ["d"], ["e"]),
        node("Flatten", ["e"], ["f"]),
        node("Gemm", ["f", "w3", "b3"], ["y"], transB=1),
    ]
    constants = {
        "w1": random(8, 3, 3, 3, seed=1),
        "b1": random(8, seed=2),
        "w2": random(8, 1, 3, 3, seed=3),
        "w3": random(5, 8, seed=4),
        "b3": random(5, seed=5),
    }
    return model_of(nodes, {"x": SHAPE}, ["y"], constants, opset=13)


class _Reader(_quantization.CalibrationDataReader):
    """Three calibration samples."""

    def __init__(self) -> None:
        self._samples = iter([{"x": random(*SHAPE, seed=seed)} for seed in range(3)])

    def get_next(self) -> dict[str, Array] | None:
        return next(self._samples, None)


@pytest.fixture(params=["symmetric", "asymmetric", "symmetric per channel"])
def qdq_model(request: pytest.FixtureRequest, tmp_path: Path) -> onnx.ModelProto:
    kind = str(request.param)
    source, target = tmp_path / "float.onnx", tmp_path / "qdq.onnx"
    _onnx.save(float_model(), source)
    symmetric = kind.startswith("symmetric")
    types = _quantization.QuantType
    _quantization.quantize_static(
        source,
        target,
        _Reader(),
        quant_format=_quantization.QuantFormat.QDQ,
        per_channel=kind.endswith("per channel"),
        activation_type=types.QInt8 if symmetric else types.QUInt8,
        weight_type=types.QInt8,
        extra_options={"ActivationSymmetric": symmetric},
    )
    return _onnx.load(target)


def unfused(model: onnx.ModelProto, feeds: dict[str, Array]) -> list[Array]:
    """onnxruntime with every node computed as written."""
    options = _runtime.SessionOptions()
    options.graph_optimization_level = _runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = _runtime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, feeds)


def test_models_of_onnxruntime(qdq_model: onnx.ModelProto) -> None:
    module = export(qdq_model)
    assert cpu_operators(module) == []
    pairs = sum(n.op_type == "QuantizeLinear" for n in qdq_model.graph.node)
    assert count(module, "qnt.const_fake_quant") == pairs + 3  # and three weights
    assert count(module, "hbir.transpose") == 1
    assert module.level == "qat"
    feeds = {"x": random(*SHAPE, seed=9)}
    (wanted,) = unfused(qdq_model, feeds)
    (got,) = module.functions[0].feed(feeds).values()
    # both sum in float32 in their own order, so a value on a rounding tie may fall the other way
    step = scales_of(module)[-1]
    assert np.abs(got - wanted).max() <= 1.01 * step
    assert np.mean(np.abs(got - wanted) < step / 2) > 0.7


def scales_of(module: Module) -> list[float]:
    scales: list[float] = []
    for op in module.functions[0].operations:
        if op.name == "qnt.const_fake_quant":
            params: Any = op
            bounds = params.params()
            scale, _ = scales_and_zero_points(8, bounds["min"], bounds["max"], False)
            scales.append(float(scale[0]))
    return scales


def pair(scale: Array, zero: Array | None, **attributes: Any) -> onnx.ModelProto:
    names = ["s"] if zero is None else ["s", "z"]
    nodes = [
        node("QuantizeLinear", ["x", *names], ["q"], **attributes),
        node("DequantizeLinear", ["q", *names], ["y"], **attributes),
    ]
    constants = {"s": scale} | ({} if zero is None else {"z": zero})
    return model_of(nodes, {"x": (2, 3, 4)}, ["y"], constants, opset=21)


@pytest.mark.parametrize(
    ("dtype", "zero"),
    [("int8", 0), ("int8", -5), ("uint8", 0), ("uint8", 131), ("int16", 7), ("uint16", 40000)],
)
def test_a_pair_is_a_fake_quant(dtype: str, zero: int) -> None:
    model = pair(np.array(0.0371, np.float32), np.array(zero, dtype))
    module = check(model, tolerance=1e-7)
    assert module.functions[0].statistics() == {"qnt.const_fake_quant": 1}


def test_a_pair_without_zero_point_is_unsigned() -> None:
    check(pair(np.array(0.01, np.float32), None), tolerance=1e-7)


@pytest.mark.parametrize("axis", [1, -1])
def test_a_pair_per_channel(axis: int) -> None:
    size = (2, 3, 4)[axis]
    scale = np.linspace(0.01, 0.05, size, dtype=np.float32)
    check(pair(scale, np.arange(size, dtype=np.int8), axis=axis), tolerance=1e-7)


def test_integers_that_are_read_as_such_stay() -> None:
    nodes = [
        node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        node("Cast", ["q"], ["i"], to=1),
        node("DequantizeLinear", ["q", "s", "z"], ["y"]),
    ]
    constants = {"s": np.array(0.04, np.float32), "z": np.array(3, np.uint8)}
    model = model_of(nodes, {"x": (2, 3)}, ["i", "y"], constants)
    module = check(model, on_cpu=["QuantizeLinear"])
    assert reasons(module) == ["QuantizeLinear: its result is read by an operator on integers"]


def test_weights_are_dequantized_and_keep_their_grid() -> None:
    weight = np.random.default_rng(0).integers(-127, 128, (4, 3, 2, 2)).astype(np.int8)
    scale = np.array([0.1, 0.2, 0.3, 0.4], np.float32)
    bias = np.array([100, -200, 300, 400], np.int32)
    nodes = [
        node("DequantizeLinear", ["w", "s", "z"], ["wf"], axis=0),
        node("DequantizeLinear", ["b", "s"], ["bf"], axis=0),
        node("Conv", ["x", "wf", "bf"]),
    ]
    constants = {"w": weight, "s": scale, "z": np.zeros(4, np.int8), "b": bias}
    module = check(model_of(nodes, {"x": (1, 3, 5, 5)}, ["y"], constants))
    (quant,) = [op for op in module.functions[0].operations if op.name == "qnt.const_fake_quant"]
    params: Any = quant
    assert params.params()["axis"] == 0
    assert count(module, "hbir.constant") == 2
    assert count(module, "hbir.transpose") == 2


def test_an_axis_beside_a_single_scale_says_nothing() -> None:
    nodes = [
        node("QuantizeLinear", ["x", "s", "z"], ["q"], axis=0),
        node("DequantizeLinear", ["q", "s", "z"], ["y"], axis=0),
    ]
    constants = {"s": np.array(0.1, np.float32), "z": np.array(3, np.int8)}
    module = export(model_of(nodes, {"x": SHAPE}, ["y"], constants, opset=13))
    assert module.level == "qat"
    assert not cpu_operators(module)

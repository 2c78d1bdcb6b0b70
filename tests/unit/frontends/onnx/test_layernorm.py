"""LayerNormalization and its relatives against onnxruntime."""

import numpy as np
import pytest

from hbir.onnx import export
from tests.unit.frontends.onnx.oracle import check, count, model_of, node, random, reasons, single


@pytest.mark.parametrize("axis", [1, 2, -1])
def test_layer_normalization(axis: int) -> None:
    shape = (2, 3, 4)
    parameters = [random(*shape[axis:], seed=seed) for seed in (1, 2)]
    module = check(single("LayerNormalization", shape, parameters, 17, axis=axis, epsilon=1e-3))
    assert count(module, "hbir.layernorm") == 1
    check(single("LayerNormalization", shape, parameters[:1], 17, axis=axis))


def test_scalar_parameters_are_spread() -> None:
    parameters = [random(1, seed=1), random(1, 4, seed=2)]
    check(single("LayerNormalization", (2, 3, 4), parameters, 17))


def test_statistics_as_results_go_to_the_cpu() -> None:
    nodes = [node("LayerNormalization", ["x", "w"], ["y", "mean"])]
    model = model_of(nodes, {"x": (2, 3, 4)}, ["y", "mean"], {"w": random(4)})
    check(model, on_cpu=["LayerNormalization"])
    assert "not mean and deviation" in reasons(export(model))[0]


@pytest.mark.parametrize("shape", [(2, 6, 5), (2, 6, 3, 4)])
def test_group_normalization(shape: tuple[int, ...]) -> None:
    per_channel = [random(6, seed=1), random(6, seed=2)]
    module = check(single("GroupNormalization", shape, per_channel, 21, num_groups=3))
    assert count(module, "hbir.groupnorm") == 1
    check(single("GroupNormalization", shape, per_channel, 21, num_groups=6, epsilon=1e-2))


@pytest.mark.parametrize("opset", [9, 17, 23])
def test_instance_normalization(opset: int) -> None:
    parameters = [random(5, seed=1), random(5, seed=2)]
    module = check(single("InstanceNormalization", (2, 5, 3, 4), parameters, opset, epsilon=1e-3))
    assert count(module, "hbir.groupnorm") == 1


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_lp_normalization(axis: int) -> None:
    module = check(single("LpNormalization", (2, 3, 4), (), 17, axis=axis, p=2))
    assert count(module, "hbir.rms_norm") == 1


def test_the_sum_of_magnitudes_goes_to_the_cpu() -> None:
    module = export(single("LpNormalization", (2, 3, 4), (), 17, p=1))
    assert reasons(module) == ["LpNormalization: p must be 2, it is 1"]


@pytest.mark.parametrize("axis", [1, -1])
def test_rms_normalization(axis: int) -> None:
    shape = (2, 3, 4)
    weight = random(*shape[axis:], seed=1)
    module = export(single("RMSNormalization", shape, [weight], 23, axis=axis, epsilon=1e-3))
    assert count(module, "hbir.rms_norm") == 1
    x = random(*shape)
    square = np.square(x.astype(np.float64)).mean(axis=tuple(range(axis % 3, 3)), keepdims=True)
    np.testing.assert_allclose(
        module.functions[0].feed({"x": x})["y"], x / np.sqrt(square + 1e-3) * weight, rtol=1e-5
    )

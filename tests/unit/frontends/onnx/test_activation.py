"""Functions of one element against onnxruntime."""

from typing import Any

import numpy as np
import pytest

from tests.unit.frontends.onnx.oracle import (
    OPSETS,
    Array,
    check,
    count,
    model_of,
    node,
    random,
    single,
)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("op_type", ["Exp", "Reciprocal", "Relu", "Sigmoid", "Tanh"])
def test_functions_without_parameters(op_type: str, opset: int) -> None:
    check(single(op_type, (2, 3, 4), (), opset))


@pytest.mark.parametrize("opset", OPSETS)
def test_functions_with_attributes(opset: int) -> None:
    check(single("LeakyRelu", (2, 3), (), opset, alpha=0.3))
    check(single("HardSigmoid", (2, 3), (), opset, alpha=0.4, beta=0.1))


def test_hard_swish() -> None:
    check(single("HardSwish", (4, 50), (), 14))


@pytest.mark.parametrize("shape", [(3, 1, 1), (1,), (1, 3, 1, 1), (3, 4, 5)])
def test_prelu_behind_a_conv(shape: tuple[int, ...]) -> None:
    nodes = [node("Conv", ["x", "w"], ["a"]), node("PRelu", ["a", "s"])]
    constants = {"w": random(3, 2, 1, 1), "s": random(*shape)}
    check(model_of(nodes, {"x": (2, 2, 4, 5)}, ["y"], constants))


def test_clip_bounds_are_attributes_before_opset_11() -> None:
    check(single("Clip", (3, 4), (), 9, min=-0.5, max=0.25))


@pytest.mark.parametrize("opset", [11, 13, 17])
@pytest.mark.parametrize("low", [None, np.array(-0.5, np.float32)])
@pytest.mark.parametrize("high", [None, np.array(0.25, np.float32)])
def test_clip_bounds_are_inputs_since(opset: int, low: Array | None, high: Array | None) -> None:
    check(single("Clip", (3, 4), [low, high], opset))


@pytest.mark.parametrize("bounds", [["low"], ["", "high"], ["low", "high"]])
def test_clip_with_computed_bounds_is_max_and_min(bounds: list[str]) -> None:
    nodes = [
        node("ReduceMin", ["b"], ["low"], keepdims=0),
        node("ReduceMax", ["b"], ["high"], keepdims=0),
        node("Clip", ["x", *bounds]),
    ]
    module = check(model_of(nodes, {"x": (3, 4), "b": (3,)}, ["y"]))
    assert count(module, "hbir.max") == ("low" in bounds)
    assert count(module, "hbir.min") == ("high" in bounds)


@pytest.mark.parametrize(
    ("op_type", "opset", "attributes"),
    [
        ("Gelu", 20, {}),
        ("Gelu", 20, {"approximate": "tanh"}),
        ("Softplus", 17, {}),
        ("Softsign", 17, {}),
        ("Mish", 18, {}),
        ("Elu", 17, {"alpha": 0.7}),
        ("Selu", 17, {}),
        ("Selu", 17, {"alpha": 0.5, "gamma": 2.0}),
        ("Celu", 17, {"alpha": 0.5}),
        ("Celu", 17, {}),
        ("ThresholdedRelu", 17, {"alpha": 0.3}),
        ("Shrink", 17, {"lambd": 0.4, "bias": 0.1}),
    ],
)
def test_functions_of_later_opsets(op_type: str, opset: int, attributes: dict[str, Any]) -> None:
    check(single(op_type, (2, 3, 40), (), opset, **attributes))

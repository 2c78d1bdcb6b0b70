"""Cast, Identity and Dropout."""

import numpy as np
import pytest

from tests.unit.frontends.onnx.oracle import check, count, model_of, node, reasons, single


@pytest.mark.parametrize("dtype", [6, 7, 11, 10, 9, 3, 2])
def test_cast_there_and_back(dtype: int) -> None:
    nodes = [
        node("Abs", ["x"], ["a"]),  # a negative float as an unsigned integer is undefined
        node("Cast", ["a"], ["i"], to=dtype),
        node("Cast", ["i"], ["y"], to=1),
    ]
    module = check(model_of(nodes, {"x": (3, 4)}, ["y"]))
    assert count(module, "hbir.cast_type") == 2


def test_a_cast_to_its_own_type_goes() -> None:
    nodes = [node("Cast", ["x"], ["a"], to=1), node("Relu", ["a"])]
    module = check(model_of(nodes, {"x": (3, 4)}, ["y"]))
    assert module.functions[0].statistics() == {"hbir.relu": 1}


def test_identity_and_dropout_go() -> None:
    nodes = [
        node("Identity", ["x"], ["a"]),
        node("Dropout", ["a"], ["b", "mask"], ratio=0.5),
        node("Relu", ["b"], ["c"]),
        node("Identity", ["c"], ["y"]),
    ]
    module = check(model_of(nodes, {"x": (3, 4)}, ["y"], opset=11))
    assert module.functions[0].statistics() == {"hbir.relu": 1}


def test_dropout_that_trains_is_a_cpu_op() -> None:
    model = single("Dropout", (3, 4), [np.array(0.0, np.float32), np.array(True)], 13)
    module = check(model, on_cpu=["Dropout"])
    assert reasons(module) == ["Dropout: training_mode must be false"]

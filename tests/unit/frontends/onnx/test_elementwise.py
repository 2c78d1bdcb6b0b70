"""Arithmetic against onnxruntime."""

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
@pytest.mark.parametrize("op_type", ["Add", "Sub", "Mul", "Div", "Max", "Min", "Sum"])
def test_two_tensors_in_every_opset(op_type: str, opset: int) -> None:
    nodes = [node(op_type, ["a", "b"])]
    check(model_of(nodes, {"a": (2, 3, 4), "b": (3, 1)}, ["y"], opset=opset))


@pytest.mark.parametrize("op_type", ["Max", "Min", "Sum"])
@pytest.mark.parametrize("inputs", [1, 2, 4])
def test_several_tensors(op_type: str, inputs: int) -> None:
    names = [f"i{index}" for index in range(inputs)]
    nodes = [node(op_type, names)]
    check(model_of(nodes, dict.fromkeys(names, (2, 3)), ["y"]))


@pytest.mark.parametrize("shape", [(), (1,), (4,), (3, 1, 1), (1, 3, 1, 1), (1, 3, 5, 4)])
@pytest.mark.parametrize("swap", [False, True])
def test_constants_behind_a_conv_broadcast_channel_last(shape: tuple[int, ...], swap: bool) -> None:
    nodes = [
        node("Conv", ["x", "w"], ["a"]),
        node("Sub", ["c", "a"] if swap else ["a", "c"], ["b"]),
        node("Relu", ["b"], ["y"]),
    ]
    constants = {"w": random(3, 2, 2, 2), "c": random(*shape)}
    module = check(model_of(nodes, {"x": (2, 2, 6, 5)}, ["y"], constants))
    assert count(module, "hbir.transpose") == 2


def test_integers_are_added_on_the_cpu() -> None:
    nodes = [
        node("Cast", ["x"], ["i"], to=7),
        node("Add", ["i", "c"], ["j"]),
        node("Cast", ["j"], ["y"], to=1),
    ]
    constants = {"c": np.array([3], np.int64)}
    check(model_of(nodes, {"x": (4,)}, ["y"], constants), on_cpu=["Add"])


def test_shapes_that_do_not_broadcast_are_an_error() -> None:
    from hbir.errors import HbirError
    from hbir.onnx import export

    with pytest.raises(HbirError, match="Add node 'Add_0'"):
        export(single("Add", (2, 3), [random(4)]))


@pytest.mark.parametrize("inputs", [1, 3])
def test_a_mean_of_tensors(inputs: int) -> None:
    names = [f"i{index}" for index in range(inputs)]
    check(model_of([node("Mean", names)], dict.fromkeys(names, (2, 3)), ["y"]))


@pytest.mark.parametrize("exponent", [np.array(2, np.int64), np.array([2.0, 3.0], np.float32)])
def test_a_power_with_a_constant_exponent(exponent: Array) -> None:
    check(single("Pow", (4, 2), [exponent]))


def test_a_power_of_two_tensors() -> None:
    nodes = [node("Exp", ["x"], ["positive"]), node("Pow", ["positive", "z"])]
    check(model_of(nodes, {"x": (3, 4), "z": (4,)}, ["y"]))


def test_a_remainder_of_floats() -> None:
    check(single("Mod", (3, 4), [np.array([0.3, -0.4, 1.5, 2.0], np.float32)], fmod=1))

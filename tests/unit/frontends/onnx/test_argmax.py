"""ArgMax and ArgMin against onnxruntime."""

import pytest

from tests.unit.frontends.onnx.oracle import check, count, model_of, node, reasons


@pytest.mark.parametrize("operator", ["ArgMax", "ArgMin"])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_each_axis(operator: str, axis: int, keepdims: int) -> None:
    nodes = [
        node("Relu", ["x"], ["a"]),  # with equal elements
        node(operator, ["a"], ["i"], axis=axis, keepdims=keepdims),
        node("Cast", ["i"], to=1),
    ]
    check(model_of(nodes, {"x": (3, 4, 5)}, ["y"]))


def test_classes_of_a_segmentation() -> None:
    """The transpose behind the convolution goes: the axis is that of the channels."""
    nodes = [
        node("MaxPool", ["x"], ["a"], kernel_shape=[2, 2]),
        node("ArgMax", ["a"], ["i"], axis=1, keepdims=0),
        node("Cast", ["i"], to=1),
    ]
    module = check(model_of(nodes, {"x": (1, 4, 6, 5)}, ["y"]))
    assert count(module, "hbir.transpose") == 1


def test_the_last_of_equals_is_for_the_cpu() -> None:
    nodes = [node("ArgMax", ["x"], ["i"], select_last_index=1), node("Cast", ["i"], to=1)]
    module = check(model_of(nodes, {"x": (3, 4)}, ["y"]), on_cpu=["ArgMax"])
    assert reasons(module) == ["ArgMax: select_last_index must be 0"]

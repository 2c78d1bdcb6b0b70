"""TopK against onnxruntime."""

import pytest

from tests.unit.frontends.onnx.oracle import check, ints, model_of, node


@pytest.mark.parametrize("largest", [0, 1])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("k", [1, 3])
def test_values_and_indices(k: int, axis: int, largest: int) -> None:
    nodes = [
        node("TopK", ["x", "k"], ["y", "i"], axis=axis, largest=largest),
        node("Cast", ["i"], ["z"], to=1),
    ]
    check(model_of(nodes, {"x": (3, 4, 5)}, ["y", "z"], {"k": ints(k)}))


@pytest.mark.parametrize("wanted", ["y", "z"])
def test_one_result_alone(wanted: str) -> None:
    nodes = [node("TopK", ["x", "k"], ["y", "i"]), node("Cast", ["i"], ["z"], to=1)]
    check(model_of(nodes, {"x": (3, 9)}, [wanted], {"k": ints(4)}))


def test_k_is_an_attribute_at_first() -> None:
    nodes = [node("TopK", ["x"], ["y", "i"], axis=1, k=2)]
    check(model_of(nodes, {"x": (3, 9)}, ["y"], opset=9))


def test_the_first_of_equals_comes_first() -> None:
    nodes = [
        node("Relu", ["x"], ["a"]),  # half of the elements are 0
        node("TopK", ["a", "k"], ["y", "i"]),
        node("Cast", ["i"], ["z"], to=1),
    ]
    check(model_of(nodes, {"x": (3, 20)}, ["y", "z"], {"k": ints(20)}))

"""ReduceMean against onnxruntime."""

from typing import Any

import pytest

from tests.unit.frontends.onnx.oracle import check, ints, model_of, node, random, single


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("axes", [None, [0], [1, 2], [-1], [2, 3], [3, 1]])
def test_axes_are_an_attribute_before_opset_18(axes: list[int] | None, keepdims: int) -> None:
    more: dict[str, Any] = {} if axes is None else {"axes": axes}
    check(single("ReduceMean", (2, 3, 4, 5), (), 13, keepdims=keepdims, **more))


@pytest.mark.parametrize("axes", [None, [0], [1, 2], [-1]])
def test_axes_are_an_input_since(axes: list[int] | None) -> None:
    constants = [] if axes is None else [ints(*axes)]
    check(single("ReduceMean", (2, 3, 4, 5), constants, 18))


def test_no_axes_may_mean_nothing_to_do() -> None:
    nodes = [node("ReduceMean", ["x"], ["a"], noop_with_empty_axes=1), node("Relu", ["a"])]
    check(model_of(nodes, {"x": (2, 3)}, ["y"], opset=18))


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("axes", [[2, 3], [1], [0, 2], [-1]])
def test_a_mean_behind_a_conv(axes: list[int], keepdims: int) -> None:
    nodes = [
        node("Conv", ["x", "w"], ["a"]),
        node("ReduceMean", ["a"], axes=axes, keepdims=keepdims),
    ]
    check(model_of(nodes, {"x": (2, 2, 6, 5)}, ["y"], {"w": random(3, 2, 2, 2)}))

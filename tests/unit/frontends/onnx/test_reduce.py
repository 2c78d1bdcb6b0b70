"""Reductions and running sums against onnxruntime."""

from typing import Any

import numpy as np
import pytest

from tests.unit.frontends.onnx.oracle import check, ints, model_of, node, random, reasons, single


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


REDUCTIONS = ["ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare"]


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("axes", [None, [1], [0, -1], [2, 1]])
@pytest.mark.parametrize("op_type", [*REDUCTIONS, "ReduceLogSumExp"])
def test_other_reductions(op_type: str, axes: list[int] | None, keepdims: int) -> None:
    constants = [] if axes is None else [ints(*axes)]
    check(single(op_type, (2, 3, 4), constants, 18, keepdims=keepdims))


def test_the_logarithm_of_a_sum() -> None:
    nodes = [node("Exp", ["x"], ["positive"]), node("ReduceLogSum", ["positive"], axes=[1])]
    check(model_of(nodes, {"x": (2, 3)}, ["y"]))


def test_a_product_is_a_cpu_op() -> None:
    module = check(single("ReduceProd", (2, 3), (), 13), on_cpu=["ReduceProd"])
    assert "no product over an axis" in reasons(module)[0]


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("reverse", [0, 1])
def test_running_sums(axis: int, exclusive: int, reverse: int) -> None:
    constants = [np.array(axis, np.int64)]
    check(single("CumSum", (3, 4, 5), constants, 14, exclusive=exclusive, reverse=reverse))

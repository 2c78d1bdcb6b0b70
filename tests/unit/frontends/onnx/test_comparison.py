"""Comparisons, logic and Where against onnxruntime."""

import pytest

from hbir.dialects.hbir import comparison
from tests.unit.frontends.onnx.oracle import check, count, model_of, node, random

COMPARISONS = ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"]
LOGIC = ["And", "Or", "Xor"]


@pytest.mark.parametrize("op_type", COMPARISONS)
def test_a_comparison_chooses(op_type: str) -> None:
    nodes = [
        node("Round", ["a"], ["whole"]),
        node(op_type, ["whole", "zero"], ["c"]),
        node("Where", ["c", "a", "b"]),
    ]
    constants = {"zero": random(4).round()}
    check(model_of(nodes, {"a": (3, 4), "b": (3, 1)}, ["y"], constants))


@pytest.mark.parametrize("op_type", LOGIC)
def test_logic(op_type: str) -> None:
    nodes = [
        node("Greater", ["a", "zero"], ["p"]),
        node("Less", ["b", "zero"], ["q"]),
        node("Not", ["q"], ["n"]),
        node(op_type, ["p", "n"], ["c"]),
        node("Cast", ["c"], to=1),
    ]
    constants = {"zero": random(1) * 0}
    check(model_of(nodes, {"a": (3, 4), "b": (4,)}, ["y"], constants))


def test_truth_values_are_equal_unless_one_alone_holds() -> None:
    nodes = [
        node("Greater", ["a", "b"], ["p"]),
        node("Less", ["a", "zero"], ["q"]),
        node("Equal", ["p", "q"], ["c"]),
        node("Cast", ["c"], to=1),
    ]
    module = check(model_of(nodes, {"a": (3, 4), "b": (4,)}, ["y"], {"zero": random(1) * 0}))
    assert count(module, comparison.LogicalXorOp.name) == 1

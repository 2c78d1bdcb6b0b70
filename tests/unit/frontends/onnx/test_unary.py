"""Elementary functions against onnxruntime."""

import pytest

from tests.unit.frontends.onnx.oracle import check, model_of, node, single

EVERYWHERE = (
    *("Abs", "Neg", "Sign", "Floor", "Ceil", "Round", "Erf"),
    *("Sin", "Cos", "Tan", "Sinh", "Cosh", "Atan", "Asinh"),
)


@pytest.mark.parametrize("op_type", EVERYWHERE)
def test_functions_defined_everywhere(op_type: str) -> None:
    check(single(op_type, (2, 3, 40)))


@pytest.mark.parametrize(
    ("op_type", "inside"),
    [
        ("Sqrt", "Exp"),
        ("Log", "Exp"),
        ("Asin", "Tanh"),
        ("Acos", "Tanh"),
        ("Atanh", "Tanh"),
        ("Acosh", "Cosh"),
    ],
)
def test_functions_with_a_domain(op_type: str, inside: str) -> None:
    nodes = [node(inside, ["x"], ["a"]), node(op_type, ["a"])]
    check(model_of(nodes, {"x": (3, 40)}, ["y"]))

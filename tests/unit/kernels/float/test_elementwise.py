"""Element-wise ops against onnxruntime, with broadcasting, infinities and nan."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbir.dialects.hbir.elementwise import (
    AddOp,
    BinaryOp,
    DivOp,
    MaxOp,
    MinOp,
    ModOp,
    MulOp,
    PowOp,
    SubOp,
)
from tests.unit.kernels.float.onnx_oracle import evaluate, run_onnx

OPERATORS: list[tuple[type[BinaryOp], str]] = [
    (AddOp, "Add"),
    (SubOp, "Sub"),
    (MulOp, "Mul"),
    (DivOp, "Div"),
    (MaxOp, "Max"),
    (MinOp, "Min"),
]


@pytest.mark.parametrize(("op", "operator"), OPERATORS)
@given(data=st.data())
def test_binary(op: type[BinaryOp], operator: str, data: st.DataObject) -> None:
    shapes = data.draw(
        hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=4)
    ).input_shapes
    finite = st.floats(-1e6, 1e6, width=32, allow_subnormal=False)
    lhs, rhs = (data.draw(hnp.arrays(np.float32, shape, elements=finite)) for shape in shapes)
    expected = run_onnx(operator, [lhs, rhs])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(evaluate(op, [lhs, rhs], {}), expected, rtol=1e-6)


@pytest.mark.parametrize(("op", "operator"), OPERATORS)
def test_special_values(op: type[BinaryOp], operator: str) -> None:
    special = np.array([np.inf, -np.inf, np.nan, 0.0, 1.0, -1.0], np.float32)
    lhs, rhs = special[:, None], special[None, :]
    with np.errstate(invalid="ignore"):
        actual = evaluate(op, [lhs, rhs], {})
    np.testing.assert_array_equal(actual, run_onnx(operator, [lhs, rhs]))


def test_powers() -> None:
    bases = np.array([[-2.0], [0.0], [0.5], [3.0]], np.float32)
    exponents = np.array([-1.0, 0.0, 0.5, 2.0, 3.0], np.float32)
    expected = run_onnx("Pow", [bases, exponents])
    np.testing.assert_allclose(evaluate(PowOp, [bases, exponents], {}), expected, rtol=1e-6)


def test_remainders_have_the_sign_asked_for() -> None:
    lhs = np.array([[-7.5], [7.5], [0.0]], np.float32)
    rhs = np.array([2.0, -2.0, 0.7], np.float32)
    truncated = evaluate(ModOp, [lhs, rhs], {})
    np.testing.assert_allclose(truncated, run_onnx("Mod", [lhs, rhs], fmod=1), rtol=1e-5)
    floored = evaluate(ModOp, [lhs, rhs], {"same_sign_as_dividend": False})
    np.testing.assert_allclose(floored, lhs - np.floor(lhs / rhs) * rhs, rtol=1e-5, atol=1e-6)

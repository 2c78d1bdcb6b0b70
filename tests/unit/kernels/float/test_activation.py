"""Activation functions against onnxruntime (swish: float64), and at the ends of the float32 range."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbir.dialects.hbir import activation
from hbir.ir.op import TensorOp
from hbir.kernels.types import Array
from tests.unit.kernels.float.onnx_oracle import evaluate, run_onnx

Case = tuple[type[TensorOp], str, dict[str, Any], dict[str, Any]]

CASES: list[Case] = [
    (activation.ReluOp, "Relu", {}, {}),
    (activation.LeakyReluOp, "LeakyRelu", {"slop": 0.3}, {"alpha": 0.3}),
    (activation.SigmoidOp, "Sigmoid", {}, {}),
    (activation.TanhOp, "Tanh", {}, {}),
    (
        activation.HardSigmoidOp,
        "HardSigmoid",
        {"alpha": 0.25, "beta": 0.4},
        {"alpha": 0.25, "beta": 0.4},
    ),
    (activation.HardSigmoidOp, "HardSigmoid", {}, {}),
    (activation.HardSwishOp, "HardSwish", {}, {}),
    (activation.ExpOp, "Exp", {}, {}),
    (activation.ReciprocalOp, "Reciprocal", {}, {}),
]
shapes = hnp.array_shapes(min_dims=0, max_dims=4, max_side=5)
values = hnp.arrays(
    np.float32, shapes, elements=st.floats(-60, 60, width=32, allow_subnormal=False)
)


@pytest.mark.parametrize(("op", "operator", "params", "attributes"), CASES)
@given(x=values)
def test_unary(
    op: type[TensorOp], operator: str, params: dict[str, Any], attributes: dict[str, Any], x: Array
) -> None:
    actual = evaluate(op, [x], params)
    assert isinstance(actual, np.ndarray)
    expected = run_onnx(operator, [x], **attributes)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@given(x=values)
def test_swish(x: Array) -> None:
    # in float64: onnxruntime's sigmoid is off by up to 1e-7, which x makes larger
    exact = x.astype(np.float64) / (1 + np.exp(-x.astype(np.float64)))
    actual = evaluate(activation.SwishOp, [x], {})
    np.testing.assert_allclose(actual, exact, rtol=1e-5, atol=1e-9)


@given(x=values, bounds=st.tuples(st.floats(-50, 50, width=32), st.floats(-50, 50, width=32)))
def test_clip(x: Array, bounds: tuple[float, float]) -> None:
    low, high = min(bounds), max(bounds)
    expected = run_onnx("Clip", [x, np.array(low, np.float32), np.array(high, np.float32)])
    actual = evaluate(activation.ClipOp, [x], {"min": low, "max": high})
    np.testing.assert_array_equal(actual, expected)


@given(x=hnp.arrays(np.float32, (2, 3, 2, 4), elements=st.floats(-9, 9, width=32)))
def test_prelu(x: Array) -> None:
    slope = np.array([0.1, 0.2, -0.5, 2.0], np.float32)
    expected = run_onnx("PRelu", [x, slope])
    actual = evaluate(activation.PreluOp, [x, slope], {})
    np.testing.assert_allclose(actual, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("op", "expected"),
    [
        (activation.SigmoidOp, [0.0, 0.0, 1.0, 1.0]),
        (activation.SwishOp, [np.nan, -0.0, 3e38, np.inf]),
        (activation.TanhOp, [-1.0, -1.0, 1.0, 1.0]),
        (activation.ExpOp, [0.0, 0.0, np.inf, np.inf]),
        (activation.ReluOp, [0.0, 0.0, 3e38, np.inf]),
    ],
)
@pytest.mark.filterwarnings("error")
def test_ends_of_the_range(op: type[TensorOp], expected: list[float]) -> None:
    x = np.array([-np.inf, -3e38, 3e38, np.inf], np.float32)
    with np.errstate(invalid="ignore"):  # −inf · 0
        actual = evaluate(op, [x], {})
    np.testing.assert_allclose(actual, np.array(expected, np.float32))

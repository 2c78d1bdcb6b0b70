"""Elementary functions against onnxruntime, at their poles and outside their domains too."""

from __future__ import annotations

import numpy as np
import pytest

from hbir.dialects.hbir import unary
from hbir.ir.op import TensorOp
from tests.unit.kernels.float.onnx_oracle import evaluate, run_onnx

OPERATORS: list[tuple[type[TensorOp], str]] = [
    (unary.AbsOp, "Abs"),
    (unary.NegOp, "Neg"),
    (unary.SignOp, "Sign"),
    (unary.FloorOp, "Floor"),
    (unary.CeilOp, "Ceil"),
    (unary.RoundOp, "Round"),
    (unary.SqrtOp, "Sqrt"),
    (unary.LogOp, "Log"),
    (unary.ErfOp, "Erf"),
    (unary.SinOp, "Sin"),
    (unary.CosOp, "Cos"),
    (unary.TanOp, "Tan"),
    (unary.SinhOp, "Sinh"),
    (unary.CoshOp, "Cosh"),
    (unary.AsinOp, "Asin"),
    (unary.AcosOp, "Acos"),
    (unary.AtanOp, "Atan"),
    (unary.AsinhOp, "Asinh"),
    (unary.AcoshOp, "Acosh"),
    (unary.AtanhOp, "Atanh"),
]


@pytest.mark.parametrize(("op", "operator"), OPERATORS)
def test_unary(op: type[TensorOp], operator: str) -> None:
    halves = np.arange(-12, 13, dtype=np.float32) / 2
    special = np.array([np.inf, -np.inf, np.nan, 1e-30, -1e-30, 0.99, -0.3], np.float32)
    x = np.concatenate([halves, special, np.linspace(-7, 7, 99, dtype=np.float32)])
    actual = evaluate(op, [x], {})
    # onnxruntime's hyperbolic functions lose digits around 0.
    np.testing.assert_allclose(actual, run_onnx(operator, [x]), rtol=1e-5, atol=3e-7)


def test_the_inverse_root() -> None:
    x = np.array([4.0, 0.0, np.inf, -1.0], np.float32)
    np.testing.assert_array_equal(evaluate(unary.RsqrtOp, [x], {}), [0.5, np.inf, 0.0, np.nan])


def test_rounding_to_decimals() -> None:
    x = np.array([1.25, -1.35, 0.05], np.float32)
    np.testing.assert_allclose(evaluate(unary.RoundOp, [x], {"decimals": 1}), [1.2, -1.4, 0.1])

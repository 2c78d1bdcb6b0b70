"""Comparisons, logic and choices against onnxruntime, nan and infinities included."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from hbir.dialects.hbir import comparison
from hbir.ir.op import TensorOp
from hbir.kernels.table import execute
from hbir.kernels.types import Array
from tests.unit.kernels.float.onnx_oracle import run_onnx

SPECIAL = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1.0, -1.0], np.float32)
COMPARISONS: list[tuple[type[TensorOp], str]] = [
    (comparison.EqualOp, "Equal"),
    (comparison.GreaterOp, "Greater"),
    (comparison.GreaterEqualOp, "GreaterOrEqual"),
    (comparison.LessOp, "Less"),
    (comparison.LessEqualOp, "LessOrEqual"),
]


@pytest.mark.parametrize(("op", "operator"), COMPARISONS)
def test_comparisons(op: type[TensorOp], operator: str) -> None:
    lhs, rhs = SPECIAL[:, None], SPECIAL[None, :]
    expected = run_onnx(operator, [lhs, rhs], dtype=np.bool_)
    as_bool = execute(op.name, [lhs, rhs], {"dtype": np.dtype(np.bool_)})
    np.testing.assert_array_equal(as_bool, expected)
    as_number = execute(op.name, [lhs, rhs], {"dtype": np.dtype(np.float32)})
    assert as_number.dtype == np.float32
    np.testing.assert_array_equal(as_number, expected.astype(np.float32))


def test_nan_differs_from_itself() -> None:
    got = execute("hbir.not_equal", [SPECIAL, SPECIAL], {"dtype": np.dtype(np.bool_)})
    np.testing.assert_array_equal(got, np.isnan(SPECIAL))


@pytest.mark.parametrize("name", ["And", "Or", "Xor"])
def test_logic(name: str) -> None:
    lhs, rhs = np.array([[False], [True]]), np.array([False, True])
    got = execute(f"hbir.logical_{name.lower()}", [lhs, rhs], {})
    np.testing.assert_array_equal(got, run_onnx(name, [lhs, rhs]))


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_where(dtype: npt.DTypeLike) -> None:
    condition = np.array([[True], [False]])
    x: Array = np.arange(3).astype(dtype)
    y: Array = np.full((2, 3), 7).astype(dtype)
    expected = run_onnx("Where", [condition, x, y], dtype=dtype)
    np.testing.assert_array_equal(execute("hbir.where", [condition, x, y], {}), expected)
    as_number = condition.astype(np.float32) * 0.5
    np.testing.assert_array_equal(execute("hbir.where", [as_number, x, y], {}), expected)

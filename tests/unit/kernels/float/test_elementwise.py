"""Element-wise ops against onnxruntime, with broadcasting, infinities and nan."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbir.dialects.hbir.elementwise import AddOp, BinaryOp, DivOp, MaxOp, MinOp, MulOp, SubOp
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

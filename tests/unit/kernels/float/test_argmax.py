"""Argmax and argmin against onnxruntime."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbir.dialects.hbir.argmax import ReduceArgmaxOp, ReduceArgminOp
from tests.unit.kernels.float.onnx_oracle import evaluate, run_onnx

few = st.sampled_from([-1.5, 0.0, 0.25, 2.0])
"""Few values, so that many are equal."""


@pytest.mark.parametrize(
    ("kind", "operator"), [(ReduceArgmaxOp, "ArgMax"), (ReduceArgminOp, "ArgMin")]
)
@given(
    x=hnp.arrays(np.float32, hnp.array_shapes(max_dims=4), elements=few),
    keep_dim=st.booleans(),
    data=st.data(),
)
def test_the_first_of_equals(
    kind: type[ReduceArgmaxOp],
    operator: str,
    x: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    keep_dim: bool,
    data: st.DataObject,
) -> None:
    dim = data.draw(st.integers(-x.ndim, x.ndim - 1))
    expected = run_onnx(operator, [x], dtype=np.int64, axis=dim, keepdims=int(keep_dim))
    actual = evaluate(kind, [x], {"dims": (dim,), "keep_dim": keep_dim})
    np.testing.assert_array_equal(actual, expected)

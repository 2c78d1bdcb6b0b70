"""Reductions against onnxruntime, and against float64 on many elements."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbir.dialects.hbir.reduce import ReduceMeanOp
from tests.unit.kernels.float.onnx_oracle import assert_close, evaluate, run_onnx


@given(hnp.array_shapes(min_dims=1, max_dims=4, max_side=5), st.booleans(), st.data())
def test_reduce_mean(shape: tuple[int, ...], keep_dim: bool, data: st.DataObject) -> None:
    rank = len(shape)
    axes = data.draw(st.sets(st.integers(0, rank - 1), min_size=1))
    dims = tuple(axis - rank if data.draw(st.booleans()) else axis for axis in sorted(axes))
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    expected = run_onnx("ReduceMean", [x, np.array(dims)], keepdims=int(keep_dim))
    actual = evaluate(ReduceMeanOp, [x], {"dims": dims, "keep_dim": keep_dim})
    assert_close(actual, expected)


def test_the_mean_of_many_elements_is_exact() -> None:
    """A running float32 sum of these would be off by more than one part in a thousand."""
    x = np.full((1, 1024, 1024, 2), 0.1, np.float32)
    actual = evaluate(ReduceMeanOp, [x], {"dims": (1, 2)})
    np.testing.assert_array_equal(actual, np.full((1, 1, 1, 2), 0.1, np.float32))

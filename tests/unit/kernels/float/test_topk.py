"""The order of elements against NumPy's sort."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbir.dialects.hbir.topk import TopkOp
from tests.unit.kernels.float.onnx_oracle import evaluate

few = st.sampled_from([-1.5, 0.0, 0.25, 2.0])
"""Few values, so that many are equal."""


@given(hnp.arrays(np.float32, hnp.array_shapes(max_dims=3), elements=few), st.booleans(), st.data())
def test_topk(
    x: np.ndarray[tuple[int, ...], np.dtype[np.float32]], largest: bool, data: st.DataObject
) -> None:
    dim = data.draw(st.integers(-x.ndim, x.ndim - 1))
    k = data.draw(st.integers(1, x.shape[dim]))
    indices = evaluate(TopkOp, [x], {"k": k, "dim": dim, "largest": largest})
    values = np.take_along_axis(x, indices, dim)
    ascending = np.sort(x, axis=dim)
    wanted = np.flip(ascending, axis=dim) if largest else ascending
    np.testing.assert_array_equal(values, wanted.take(np.arange(k), axis=dim))
    equals = np.diff(values, axis=dim) == 0
    assert np.all((np.diff(indices, axis=dim) > 0) | ~equals)

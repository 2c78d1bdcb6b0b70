"""Scatters against onnxruntime."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbir.dialects.hbir.scatter import ScatterElementsOp, ScatterNdOp
from hbir.kernels.float.scatter import REDUCE_MODES
from tests.unit.kernels.float.onnx_oracle import assert_close, evaluate, run_onnx

shapes = hnp.array_shapes(min_dims=1, max_dims=3, max_side=4)


def _random(shape: tuple[int, ...], seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@given(shapes, st.sampled_from(REDUCE_MODES), st.data())
def test_scatter_elements(shape: tuple[int, ...], mode: str, data: st.DataObject) -> None:
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    sizes = [data.draw(st.integers(1, size)) for size in shape]
    if mode == "none":  # which of several updates stays is not for ONNX to say
        sizes[dim] = 1
    extent = shape[dim]
    index = data.draw(hnp.arrays(np.int64, tuple(sizes), elements=st.integers(-extent, extent - 1)))
    operands = [_random(shape, 0), index, _random(tuple(sizes), 1)]
    expected = run_onnx("ScatterElements", operands, axis=dim, reduction=mode)
    params = {"dim": dim, "scatter_reduce_mode": mode}
    assert_close(evaluate(ScatterElementsOp, operands, params), expected)


@given(shapes, st.sampled_from(REDUCE_MODES), st.data())
def test_scatter_nd(shape: tuple[int, ...], mode: str, data: st.DataObject) -> None:
    width = data.draw(st.integers(1, len(shape)))
    count = 1 if mode == "none" else data.draw(st.integers(1, 4))
    columns = [
        data.draw(hnp.arrays(np.int64, (count,), elements=st.integers(-size, size - 1)))
        for size in shape[:width]
    ]
    operands = [_random(shape, 0), np.stack(columns, -1), _random((count, *shape[width:]), 1)]
    expected = run_onnx("ScatterND", operands, reduction=mode)
    actual = evaluate(ScatterNdOp, operands, {"scatter_reduce_mode": mode})
    assert_close(actual, expected)


def test_the_last_of_several_updates_stays() -> None:
    x, index = np.zeros(3, np.int8), np.array([[1], [1], [-2]])
    updates = np.array([5, 6, 7], np.int8)
    np.testing.assert_array_equal(evaluate(ScatterNdOp, [x, index, updates], {}), [0, 7, 0])

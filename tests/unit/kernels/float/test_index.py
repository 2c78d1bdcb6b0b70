"""Indexing against onnxruntime, and what indices beyond their axis read."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbir.dialects.hbir.index import GatherElementsOp, GatherNdOp, IndexOp
from tests.unit.kernels.float.onnx_oracle import evaluate, run_onnx

shapes = hnp.array_shapes(min_dims=1, max_dims=4, max_side=4)


def _input(shape: tuple[int, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@given(shapes, hnp.array_shapes(min_dims=0, max_dims=2, max_side=4), st.data())
def test_index(shape: tuple[int, ...], index_shape: tuple[int, ...], data: st.DataObject) -> None:
    x, dim = _input(shape), data.draw(st.integers(-len(shape), len(shape) - 1))
    extent = shape[dim]
    index = data.draw(hnp.arrays(np.int64, index_shape, elements=st.integers(-extent, extent - 1)))
    expected = run_onnx("Gather", [x, index], axis=dim)
    for dtype in (np.int64, np.int32, np.int16):
        actual = evaluate(IndexOp, [x, index.astype(dtype)], {"dim": dim})
        np.testing.assert_array_equal(actual, expected)


@given(shapes, st.data())
def test_gather_elements(shape: tuple[int, ...], data: st.DataObject) -> None:
    x, dim = _input(shape), data.draw(st.integers(-len(shape), len(shape) - 1))
    extent = shape[dim]
    sizes = [data.draw(st.integers(1, size)) for size in shape]
    sizes[dim] = data.draw(st.integers(1, 5))
    index = data.draw(hnp.arrays(np.int64, tuple(sizes), elements=st.integers(-extent, extent - 1)))
    expected = run_onnx("GatherElements", [x, index], axis=dim)
    actual = evaluate(GatherElementsOp, [x, index], {"dim": dim})
    np.testing.assert_array_equal(actual, expected)


@given(hnp.array_shapes(min_dims=2, max_dims=4, max_side=4), st.data())
def test_gather_nd(shape: tuple[int, ...], data: st.DataObject) -> None:
    batch = data.draw(st.integers(0, len(shape) - 1))
    width = data.draw(st.integers(1, len(shape) - batch))
    places = data.draw(hnp.array_shapes(min_dims=0, max_dims=2, max_side=3))
    columns = [
        data.draw(
            hnp.arrays(np.int64, (*shape[:batch], *places), elements=st.integers(-size, size - 1))
        )
        for size in shape[batch : batch + width]
    ]
    x, index = _input(shape), np.stack(columns, axis=-1)
    expected = run_onnx("GatherND", [x, index], batch_dims=batch)
    np.testing.assert_array_equal(evaluate(GatherNdOp, [x, index], {"batch_dim": batch}), expected)


def test_beyond_its_axis_an_index_reads_the_nearest_element() -> None:
    x = np.array([10, 11, 12], np.int8)
    index = np.array([-9, -4, -3, 2, 3, 1 << 40])
    np.testing.assert_array_equal(evaluate(IndexOp, [x, index], {}), [10, 10, 10, 12, 12, 12])

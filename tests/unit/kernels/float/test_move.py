"""Ops that only move elements: against onnxruntime, on every dtype the IR has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbir.dialects.hbir.move import ConcatOp, PadOp, ReshapeOp, SliceOp, TransposeOp
from hbir.kernels.types import Array
from tests.unit.kernels.float.onnx_oracle import evaluate, run_onnx

DTYPES = [np.float32, np.int8, np.int16, np.int32, np.int64, np.uint8, np.bool_]
arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=1, max_dims=4, max_side=5))
)


@given(arrays, st.data())
def test_concat(x: Array, data: st.DataObject) -> None:
    dim = data.draw(st.integers(-x.ndim, x.ndim - 1))
    parts = [x, x[::-1], x]
    np.testing.assert_array_equal(
        evaluate(ConcatOp, parts, {"dim": dim}), run_onnx("Concat", parts, axis=dim)
    )


@given(arrays, st.data())
def test_slice(x: Array, data: st.DataObject) -> None:
    begin = [data.draw(st.integers(0, size - 1)) for size in x.shape]
    end = [data.draw(st.integers(b + 1, size)) for b, size in zip(begin, x.shape, strict=True)]
    step = [data.draw(st.integers(1, 3)) for _ in x.shape]
    bounds = [np.array(values, np.int64) for values in (begin, end, range(x.ndim), step)]
    actual = evaluate(SliceOp, [x], {"begin": begin, "end": end, "step": step})
    np.testing.assert_array_equal(actual, run_onnx("Slice", [x, *bounds]))
    unit = evaluate(SliceOp, [x], {"begin": begin, "end": end})
    np.testing.assert_array_equal(unit, run_onnx("Slice", [x, *bounds[:3]]))


@given(arrays, st.data())
def test_transpose(x: Array, data: st.DataObject) -> None:
    dims = data.draw(st.permutations(range(x.ndim)))
    np.testing.assert_array_equal(
        evaluate(TransposeOp, [x], {"dims": dims}), run_onnx("Transpose", [x], perm=dims)
    )


@given(arrays)
def test_reshape(x: Array) -> None:
    shape = (x.size, 1)
    np.testing.assert_array_equal(evaluate(ReshapeOp, [x], {"shape": shape}), x.reshape(shape))


@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.int32])
@given(shape=hnp.array_shapes(min_dims=1, max_dims=4, max_side=4), data=st.data())
def test_pad(dtype: Any, shape: tuple[int, ...], data: st.DataObject) -> None:
    x = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    begin, end = (
        data.draw(st.lists(st.integers(0, 3), min_size=x.ndim, max_size=x.ndim)) for _ in "be"
    )
    params = {"begin": begin, "end": end, "pad_value": -7.0}
    expected = run_onnx("Pad", [x, np.array([*begin, *end]), np.array(-7, dtype)])
    np.testing.assert_array_equal(evaluate(PadOp, [x], params), expected)

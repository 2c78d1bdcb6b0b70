"""Batch norm and softmax against onnxruntime; softmax stays finite for any finite input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbir.dialects.hbir.norm import BatchnormOp, SoftmaxOp
from hbir.kernels.float.norm import batchnorm_scale_and_shift
from hbir.kernels.types import Array
from tests.unit.kernels.float.onnx_oracle import (
    assert_close,
    channel_first,
    channel_last,
    evaluate,
    run_onnx,
)


@given(
    hnp.array_shapes(min_dims=4, max_dims=4, max_side=5),
    st.floats(1e-6, 1e-2),
    st.integers(0, 2**32 - 1),
)
def test_batchnorm(shape: tuple[int, ...], eps: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape).astype(np.float32)
    mean, weight, bias = rng.normal(size=(3, shape[-1])).astype(np.float32)
    var = rng.uniform(0.0, 4.0, size=shape[-1]).astype(np.float32)
    actual = evaluate(BatchnormOp, [x, mean, var, weight, bias], {"eps": eps})
    onnx_inputs = [channel_first(x), weight, bias, mean, var]
    expected = run_onnx("BatchNormalization", onnx_inputs, epsilon=eps)
    assert_close(actual, channel_last(expected), rtol=2e-5)
    scale, shift = batchnorm_scale_and_shift(mean, var, weight, bias, eps)
    assert_close((x * scale + shift).astype(np.float32), actual, rtol=2e-5)


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=1, max_dims=4, max_side=6),
        elements=st.floats(-100, 100, width=32),
    ),
    st.data(),
)
def test_softmax(x: Array, data: st.DataObject) -> None:
    dim = data.draw(st.integers(-x.ndim, x.ndim - 1))
    expected = run_onnx("Softmax", [x], axis=dim)
    np.testing.assert_allclose(
        evaluate(SoftmaxOp, [x], {"dim": dim}), expected, rtol=1e-5, atol=1e-7
    )


@pytest.mark.filterwarnings("error")
def test_softmax_of_large_values() -> None:
    x = np.array([[3e38, 3e38, -3e38]], np.float32)
    with np.errstate(over="ignore"):
        result = evaluate(SoftmaxOp, [x], {})
    np.testing.assert_array_equal(result, np.array([[0.5, 0.5, 0.0]], np.float32))

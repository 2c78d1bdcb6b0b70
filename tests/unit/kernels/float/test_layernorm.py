"""Layer, root-mean-square and group norm against onnxruntime, and against float64."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbir.dialects.hbir.layernorm import GroupnormOp, LayernormOp, RmsNormOp
from tests.unit.kernels.float.onnx_oracle import (
    assert_close,
    channel_first,
    channel_last,
    evaluate,
    run_onnx,
)

shapes = hnp.array_shapes(min_dims=2, max_dims=4, max_side=6)
seeds = st.integers(0, 2**32 - 1)
epsilons = st.floats(1e-6, 1e-2)


@given(shapes, epsilons, seeds, st.data())
def test_layernorm(shape: tuple[int, ...], eps: float, seed: int, data: st.DataObject) -> None:
    rng = np.random.default_rng(seed)
    axis = data.draw(st.integers(0, len(shape) - 1))
    x = rng.normal(3.0, size=shape).astype(np.float32)
    weight, bias = rng.normal(size=(2, *shape[axis:])).astype(np.float32)
    dims = list(range(axis, len(shape)))
    actual = evaluate(LayernormOp, [x, weight, bias], {"dims": dims, "eps": eps})
    expected = run_onnx("LayerNormalization", [x, weight, bias], axis=axis, epsilon=eps)
    assert_close(actual, expected, rtol=1e-4)
    wide = x.astype(np.float64)
    wide = wide - wide.mean(axis=tuple(dims), keepdims=True)
    wide /= np.sqrt(np.square(wide).mean(axis=tuple(dims), keepdims=True) + eps)
    assert_close(evaluate(LayernormOp, [x], {"dims": dims, "eps": eps}), wide.astype(np.float32))


@given(shapes, epsilons, seeds)
def test_rms_norm(shape: tuple[int, ...], eps: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(3.0, size=shape).astype(np.float32)
    weight = rng.normal(size=shape[-1]).astype(np.float32)
    wide = x.astype(np.float64)
    wide = wide / np.sqrt(np.square(wide).mean(axis=-1, keepdims=True) + eps) * weight
    actual = evaluate(RmsNormOp, [x, weight], {"eps": eps})
    assert_close(actual, wide.astype(np.float32))


@given(hnp.array_shapes(min_dims=3, max_dims=4, max_side=4), st.integers(1, 3), epsilons, seeds)
def test_groupnorm(shape: tuple[int, ...], groups: int, eps: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (*shape[:-1], shape[-1] * groups)
    x = rng.normal(3.0, size=shape).astype(np.float32)
    weight, bias = rng.normal(size=(2, shape[-1])).astype(np.float32)
    actual = evaluate(GroupnormOp, [x, weight, bias], {"group_num": groups, "eps": eps})
    inputs = [channel_first(x), weight, bias]
    expected = run_onnx("GroupNormalization", inputs, num_groups=groups, epsilon=eps)
    assert_close(actual, channel_last(expected), rtol=1e-4)


def test_a_constant_row_has_no_deviation_to_divide_by() -> None:
    x = np.full((2, 5), 7.0, np.float32)
    np.testing.assert_array_equal(evaluate(LayernormOp, [x], {"eps": 0.0}), np.zeros_like(x))
    np.testing.assert_array_equal(evaluate(RmsNormOp, [x * 0], {"eps": 0.0}), np.zeros_like(x))

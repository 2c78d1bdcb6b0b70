"""Attention against PyTorch's formula in float64, and against ONNX's reference evaluator."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hbir.dialects.hbir.attention import AttentionOp
from hbir.kernels.float.attention import MASKED
from hbir.kernels.types import Array
from tests.unit.frontends.onnx.oracle import model_of, node, onnx_reference
from tests.unit.kernels.float.onnx_oracle import assert_close, evaluate


def reference(arrays: list[Array], **attributes: Any) -> Array:
    """onnx's own evaluator of opset 23."""
    names = ["q", "k", "v", "m"][: len(arrays)]
    shapes = {name: array.shape for name, array in zip(names, arrays, strict=True)}
    model = model_of([node("Attention", names, **attributes)], shapes, ["y"], opset=23)
    (result,) = onnx_reference(model, dict(zip(names, arrays, strict=True)))
    return result


extents = st.integers(1, 6)


@given(st.tuples(*[extents] * 6), st.booleans(), st.booleans(), st.sampled_from([0.0, 1.5]))
def test_attention(shape: tuple[int, ...], masked: bool, is_causal: bool, softcap: float) -> None:
    batch, heads, queries, keys, size, columns = shape
    rng = np.random.default_rng(sum(shape))
    sizes = [(queries, size), (keys, size), (keys, columns)]
    arrays: list[Array] = [rng.normal(size=(batch, heads, *s)).astype(np.float32) for s in sizes]
    if masked:
        mask = np.where(rng.random((queries, keys)) < 0.3, MASKED, rng.normal(size=(queries, keys)))
        mask[:, 0] = 0.0  # each query sees a key
        arrays.append(mask.astype(np.float32))
    params = {"scale": 0.3, "softcap": softcap}
    actual = evaluate(AttentionOp, arrays, {**params, "is_causal": is_causal})
    assert_close(actual, reference(arrays, **params, is_causal=int(is_causal)), rtol=1e-4)


def test_an_infinite_mask_and_shared_keys() -> None:
    rng = np.random.default_rng(0)
    query = rng.normal(size=(2, 3, 4, 8)).astype(np.float32)
    key, value = rng.normal(size=(2, 2, 1, 5, 8)).astype(np.float32)
    mask = np.zeros((4, 5), np.float32)
    mask[:, 3:] = -np.inf
    seen = evaluate(AttentionOp, [query, key[:, :, :3], value[:, :, :3]], {"scale": 0.5})
    all_keys = evaluate(AttentionOp, [query, key, value, mask], {"scale": 0.5})
    np.testing.assert_allclose(all_keys, seen, rtol=1e-6, atol=1e-6)

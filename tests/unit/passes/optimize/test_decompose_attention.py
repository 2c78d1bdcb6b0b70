"""decompose-attention within its declared bound of float64."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.dialects.hbir.attention import AttentionOp
from tests.unit.passes.optimize.decomposed import assert_within_bound, decomposed

EXTENTS = st.tuples(*[st.integers(1, 9)] * 6)


@settings(max_examples=40, deadline=None)
@given(EXTENTS, st.booleans(), st.booleans(), st.sampled_from([0.0, 2.0]), st.integers(0, 999))
def test_decompose_attention(
    extents: tuple[int, ...], masked: bool, is_causal: bool, softcap: float, seed: int
) -> None:
    batch, heads, queries, keys, size, columns = extents
    rng = np.random.default_rng(seed)
    shapes = [(batch, heads, queries, size), (batch, 1, keys, size), (batch, 1, keys, columns)]
    shapes += [(queries, keys)] if masked else []
    arrays = [rng.normal(size=shape).astype(np.float32) for shape in shapes]
    scale = size**-0.5
    module = decomposed(
        AttentionOp,
        shapes,
        ["decompose-attention"],
        scale=scale,
        is_causal=is_causal,
        softcap=softcap,
    )
    query, key, value, *mask = (array.astype(np.float64) for array in arrays)
    scores = query @ np.swapaxes(key, -1, -2) * scale
    if softcap:
        scores = np.tanh(scores / softcap) * softcap
    if mask:
        scores = scores + mask[0]
    if is_causal:
        scores = np.where(np.tri(queries, keys, dtype=bool), scores, -np.inf)
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    expected = exponentials / exponentials.sum(axis=-1, keepdims=True) @ value
    assert_within_bound(module, arrays, expected)

"""Scaled dot-product attention."""

from __future__ import annotations

import numpy as np

from hbir.kernels.float.norm import softmax
from hbir.kernels.table import kernel
from hbir.kernels.types import FloatArray

MASKED = -1e4
"""What is added to the score of a key that may not be seen: e^-10000 is 0 in every float format,
and the sum with a score stays exact to 2^-10."""


def causal_mask(queries: int, keys: int) -> FloatArray:
    """(queries, keys): 0 where key j <= query i, `MASKED` elsewhere."""
    return np.where(np.tri(queries, keys, dtype=bool), 0.0, MASKED).astype(np.float32)


@kernel("hbir.attention")
def attention(
    query: FloatArray,
    key: FloatArray,
    value: FloatArray,
    mask: FloatArray | None = None,
    *,
    scale: float,
    is_causal: bool = False,
    softcap: float = 0.0,
) -> FloatArray:
    """query (..., L, E), key (..., S, E), value (..., S, V), mask (..., L, S) → (..., L, V)."""
    scores = np.matmul(query, np.swapaxes(key, -1, -2))
    scores *= np.float32(scale)
    if softcap:
        scores = np.tanh(scores / np.float32(softcap)) * np.float32(softcap)
    if mask is not None:
        scores = scores + np.maximum(mask, np.float32(MASKED))
    if is_causal:
        scores = scores + causal_mask(query.shape[-2], key.shape[-2])
    return np.matmul(softmax(scores, dim=-1), value)

"""Softmax and the norms of the last axis in float16: float32 inside, one rounding at the end."""

from __future__ import annotations

import numpy as np

from hbir.kernels.float16.rounding import Float32Array, exponential, to_float16, tree_sum
from hbir.kernels.table import kernel
from hbir.kernels.types import Array

_LEAST_VARIANCE = np.finfo(np.float32).tiny
"""Of a row that doesn't vary, with epsilon 0: the row is 0 then, not 0 / 0."""


@kernel("bpu.float_softmax")
def float_softmax(x: Array, *, dim: int) -> Array:
    """float16(e / sum of e), e = exp(x - max x), over one axis."""
    wide = x.astype(np.float32)
    powers = exponential(wide - wide.max(axis=dim, keepdims=True))
    return to_float16(powers / tree_sum(powers, [dim], keep_dims=True))


@kernel("bpu.float_layernorm")
def float_layernorm(x: Array, affine: Array, *, epsilon: float = 0.0, center: bool = True) -> Array:
    """float16(c / sqrt(mean of c^2 + epsilon) * w + b) over the last axis, c = x - mean of x.

    x (..., C); affine float32 (C, 2), columns w and b. center False: c = x.
    """
    wide = x.astype(np.float32)
    if center:
        wide = wide - _mean(wide)
    variance = np.maximum(_mean(wide * wide) + np.float32(epsilon), _LEAST_VARIANCE)
    weight, bias = affine.T
    return to_float16(wide / np.sqrt(variance) * weight + bias)


def _mean(x: Float32Array) -> Float32Array:
    return tree_sum(x, [-1], keep_dims=True) / np.float32(x.shape[-1])

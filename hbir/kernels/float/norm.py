"""Normalisation: batch norm with constant statistics, softmax."""

from __future__ import annotations

import numpy as np

from hbir.kernels.table import kernel
from hbir.kernels.types import Array, FloatArray


def batchnorm_scale_and_shift(
    mean: Array, var: Array, weight: Array, bias: Array, eps: float
) -> tuple[Array, Array]:
    """Float64 (scale, shift) of each channel, such that batchnorm(x) = x · scale + shift."""
    scale = weight.astype(np.float64) / np.sqrt(var.astype(np.float64) + eps)
    return scale, bias - mean * scale


@kernel("hbir.batchnorm")
def batchnorm(
    x: FloatArray,
    mean: FloatArray,
    var: FloatArray,
    weight: FloatArray,
    bias: FloatArray,
    *,
    eps: float = 1e-5,
) -> FloatArray:
    """x: (..., C), the others (C): (x − mean) / √(var + eps) · weight + bias."""
    scale, _ = batchnorm_scale_and_shift(mean, var, weight, bias, eps)
    result = np.subtract(x, mean)  # first, so that no difference of large products is taken
    result *= scale.astype(np.float32)
    result += bias
    return result


@kernel("hbir.softmax")
def softmax(x: FloatArray, *, dim: int = -1) -> FloatArray:
    """exp(x − max) / Σ exp(x − max) along the axis `dim`."""
    result = np.subtract(x, np.max(x, axis=dim, keepdims=True))
    np.exp(result, out=result)
    result /= np.sum(result, axis=dim, keepdims=True)
    return result


@kernel("hbir.log_softmax")
def log_softmax(x: FloatArray, *, dim: int = -1) -> FloatArray:
    """x − max − log Σ exp(x − max) along the axis `dim`."""
    shifted = np.subtract(x, np.max(x, axis=dim, keepdims=True))
    shifted -= np.log(np.sum(np.exp(shifted), axis=dim, keepdims=True))
    return shifted

"""Norms over statistics of the tensor itself: layer norm, root-mean-square norm, group norm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hbir.kernels.table import kernel
from hbir.kernels.types import Array, FloatArray


@kernel("hbir.layernorm")
def layernorm(
    x: FloatArray,
    weight: FloatArray | None = None,
    bias: FloatArray | None = None,
    *,
    dims: Sequence[int] = (-1,),
    eps: float = 1e-5,
) -> FloatArray:
    """(x − mean) / √(var + eps) · weight + bias over the axes `dims`; statistics in float64."""
    axes = tuple(sorted(axis % x.ndim for axis in dims))
    mean = np.mean(x, axis=axes, keepdims=True, dtype=np.float64)
    centered = x - mean.astype(np.float32)
    variance = np.mean(np.square(x - mean), axis=axes, keepdims=True)
    centered *= _inverse_root(variance, eps)
    return _affine(centered, weight, bias, axes)


@kernel("hbir.rms_norm")
def rms_norm(
    x: FloatArray,
    weight: FloatArray | None = None,
    *,
    dims: Sequence[int] = (-1,),
    eps: float = 1e-5,
) -> FloatArray:
    """x / √(mean of x² + eps) · weight over the axes `dims`; the mean in float64."""
    axes = tuple(sorted(axis % x.ndim for axis in dims))
    square = np.mean(np.square(x, dtype=np.float64), axis=axes, keepdims=True)
    return _affine(x * _inverse_root(square, eps), weight, None, axes)


@kernel("hbir.groupnorm")
def groupnorm(
    x: FloatArray,
    weight: FloatArray | None = None,
    bias: FloatArray | None = None,
    *,
    group_num: int = 1,
    eps: float = 1e-5,
) -> FloatArray:
    """x: (N, ..., C), weight and bias (C): a layer norm of each group of C / group_num channels."""
    grouped = x.reshape(x.shape[0], -1, group_num, x.shape[-1] // group_num)
    normal = layernorm(grouped, dims=(1, 3), eps=eps).reshape(x.shape)
    return _affine(normal, weight, bias, (x.ndim - 1,))


def _inverse_root(square: Array, eps: float) -> FloatArray:
    """1 / √(square + eps) in float32; 0 where that is 0: what it multiplies is 0 too."""
    with np.errstate(divide="ignore"):
        root = 1.0 / np.sqrt(square + eps)
    return np.where(np.isfinite(root), root, 0.0).astype(np.float32)


def _affine(
    x: FloatArray, weight: FloatArray | None, bias: FloatArray | None, axes: Sequence[int]
) -> FloatArray:
    """x · weight + bias, whose axes are `axes` of x."""
    shape = [size if axis in axes else 1 for axis, size in enumerate(x.shape)]
    if weight is not None:
        x = x * weight.reshape(shape)
    if bias is not None:
        x = x + bias.reshape(shape)
    return x

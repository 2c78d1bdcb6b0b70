"""Pooling over windows of H and W.

A window's maximum or sum is that of its rows' maxima or sums, so each axis is reduced on its own:
KH + KW steps over the data instead of KH · KW.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hbir.kernels.padding import pad_height_width
from hbir.kernels.table import kernel
from hbir.kernels.types import FloatArray
from hbir.kernels.window import window_extent, window_shape


@kernel("hbir.max_pool")
def max_pool(
    x: FloatArray,
    *,
    kernel: Sequence[int],
    stride: Sequence[int] = (1, 1),
    pad: Sequence[int] = (0, 0, 0, 0),
    dilation: Sequence[int] = (1, 1),
    ceil_mode: bool = False,
) -> FloatArray:
    """x: (N, H, W, C) → (N, OH, OW, C): the greatest element of each window.

    A (dilated) window that hits padding alone gives the least float32, as in onnxruntime.
    """
    size = window_shape(x.shape[1:3], kernel, stride, pad, dilation, ceil_mode=ceil_mode)
    reach = _reach(x.shape[1:3], kernel, stride, pad, dilation, size)
    x = pad_height_width(x, reach, float(np.finfo(np.float32).min))
    for axis in (0, 1):
        x = _reduce_windows(
            np.maximum, x, axis + 1, kernel[axis], stride[axis], dilation[axis], size[axis]
        )
    return x


@kernel("hbir.avg_pool")
def avg_pool(
    x: FloatArray,
    *,
    kernel: Sequence[int],
    stride: Sequence[int] = (1, 1),
    pad: Sequence[int] = (0, 0, 0, 0),
    dilation: Sequence[int] = (1, 1),
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> FloatArray:
    """x: (N, H, W, C) → (N, OH, OW, C): the sum of each window divided by its element count.

    With `count_include_pad`, padding counts, but not what ceil mode adds beyond it. A window
    without elements gives 0.
    """
    extent = x.shape[1:3]
    size = window_shape(extent, kernel, stride, pad, dilation, ceil_mode=ceil_mode)
    reach = _reach(extent, kernel, stride, pad, dilation, size)
    x = pad_height_width(x, reach)
    for axis in (0, 1):
        counted = np.zeros(x.shape[axis + 1], np.float32)
        begin = 0 if count_include_pad else pad[axis]
        end = pad[axis] + extent[axis] + (pad[axis + 2] if count_include_pad else 0)
        counted[begin:end] = 1.0
        window = (kernel[axis], stride[axis], dilation[axis], size[axis])
        counts = _reduce_windows(np.add, counted, 0, *window)
        x = _reduce_windows(np.add, x, axis + 1, *window)
        x *= np.reciprocal(np.maximum(counts, 1.0)).reshape((-1, 1) if axis else (-1, 1, 1))
    return x


def _reach(
    extent: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    pad: Sequence[int],
    dilation: Sequence[int],
    size: Sequence[int],
) -> list[int]:
    """The pads with the end ones widened to where the last windows of ceil mode reach."""
    top, left, *ends = pad
    for axis in (0, 1):
        last = (size[axis] - 1) * stride[axis] + window_extent(kernel[axis], dilation[axis])
        ends[axis] = max(ends[axis], last - pad[axis] - extent[axis])
    return [top, left, *ends]


def _reduce_windows(
    combine: Callable[..., Any],
    x: FloatArray,
    axis: int,
    kernel: int,
    stride: int,
    dilation: int,
    size: int,
) -> FloatArray:
    """The windows along one axis combined by `combine` (np.maximum, np.add)."""

    def taps(index: int) -> FloatArray:
        start = index * dilation
        chosen = slice(start, start + (size - 1) * stride + 1, stride)
        return x[(slice(None),) * axis + (chosen,)]

    result = taps(0).copy()
    for index in range(1, kernel):
        combine(result, taps(index), out=result)
    return result

"""Max and average pooling with explicit pads.

Both are separable: windows are folded along the rows first, then along the columns, which costs
KH + KW passes instead of KH * KW and gives the same integers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hbir.kernels.integer.requantize import round_shift, saturate
from hbir.kernels.padding import pad_height_width
from hbir.kernels.table import kernel
from hbir.kernels.types import Array
from hbir.kernels.window import window_positions


@kernel("bpu.max_pool")
def max_pool(
    x: Array,
    *,
    kernel: Sequence[int],
    stride: Sequence[int] = (1, 1),
    pad: Sequence[int] = (0, 0, 0, 0),
    dilation: Sequence[int] = (1, 1),
) -> Array:
    """Maximum over each window of x (N, H, W, C); padding is the dtype's minimum."""
    limits = np.finfo(x.dtype.name) if x.dtype.kind == "f" else np.iinfo(x.dtype.name)
    lowest = float(limits.min)
    padded = pad_height_width(x, pad, lowest)
    rows = fold_windows(np.maximum, padded, 1, kernel[0], stride[0], dilation[0])
    return fold_windows(np.maximum, rows, 2, kernel[1], stride[1], dilation[1])


@kernel("bpu.avg_pool")
def avg_pool(
    x: Array,
    qpp: Array,
    *,
    kernel: Sequence[int],
    stride: Sequence[int] = (1, 1),
    pad: Sequence[int] = (0, 0, 0, 0),
    input_zero_point: int = 0,
    output_zero_point: int = 0,
    count_include_pad: bool = True,
    dtype: npt.DTypeLike = np.int8,
) -> Array:
    """sat(((sum * m[n] + 2^(s[n]-1)) >> s[n]) + zo), sum = that of x - zx over the valid elements.

    qpp: si32, columns m and s. One row when padding counts; else a row per number n of elements of
    the window that lie inside the tensor, 0..KH * KW.
    """
    x32 = np.subtract(x, np.int32(input_zero_point), dtype=np.int32)
    padded = pad_height_width(x32, pad, 0)
    accumulator = np.int32 if x.dtype == np.int8 else np.int64
    sums = fold_windows(np.add, padded.astype(accumulator, copy=False), 1, kernel[0], stride[0], 1)
    value = fold_windows(np.add, sums, 2, kernel[1], stride[1], 1).astype(np.int64)
    if count_include_pad:
        multiplier, shift = qpp[0].astype(np.int64)
    else:
        counts = valid_counts(x.shape, kernel, stride, pad)
        multiplier, shift = qpp.astype(np.int64)[counts].transpose(2, 0, 1)[..., None]
    value *= multiplier
    return saturate(round_shift(value, shift), output_zero_point, None, dtype)


def fold_windows(
    combine: Callable[..., Array], x: Array, axis: int, kernel: int, stride: int, dilation: int
) -> Array:
    """Combine the `kernel` elements of every window along one axis."""
    extent = window_positions(x.shape[axis], kernel, stride, 0, 0, dilation)
    if extent < 1:
        raise ValueError(f"a window of {kernel} does not fit a padded extent of {x.shape[axis]}")

    def tap(index: int) -> Array:
        first = index * dilation
        where: list[Any] = [slice(None)] * x.ndim
        where[axis] = slice(first, first + (extent - 1) * stride + 1, stride)
        return x[tuple(where)]

    result = tap(0).copy()
    for index in range(1, kernel):
        combine(result, tap(index), out=result)
    return result


def valid_counts(
    shape: Sequence[int], kernel: Sequence[int], stride: Sequence[int], pad: Sequence[int]
) -> npt.NDArray[np.int64]:
    """(OH, OW): how many elements of each window lie inside the tensor."""
    along: list[Array] = []
    for axis in range(2):
        before, after, size = pad[axis], pad[axis + 2], shape[axis + 1]
        extent = window_positions(size, kernel[axis], stride[axis], before, after, 1)
        first = np.arange(extent) * stride[axis] - before
        last = np.minimum(first + kernel[axis], size)
        along.append(np.maximum(last - np.maximum(first, 0), 0))
    return along[0][:, None] * along[1]

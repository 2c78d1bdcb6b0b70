"""Padding and sliding windows over channel-last tensors, shared by convolution and pooling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hbir.kernels.types import Array
from hbir.kernels.window import window_positions


def spread(x: Array, factors: Sequence[int], fill: int) -> Array:
    """x (N, H, W, C) with factor - 1 elements `fill` between its rows and columns."""
    if tuple(factors) == (1, 1):
        return x
    n, h, w, c = x.shape
    shape = (n, (h - 1) * factors[0] + 1, (w - 1) * factors[1] + 1, c)
    result = np.full(shape, fill, x.dtype)
    result[:, :: factors[0], :: factors[1]] = x
    return result


def pad_or_crop(x: Array, pad: Sequence[int], fill: int) -> Array:
    """x (N, H, W, C) padded by [top, left, bottom, right]; negative entries crop."""
    if not any(pad):
        return x
    top, left, bottom, right = pad
    n, h, w, c = x.shape
    x = x[:, max(-top, 0) : h - max(-bottom, 0), max(-left, 0) : w - max(-right, 0)]
    top, left, bottom, right = (max(amount, 0) for amount in pad)
    if not (top or left or bottom or right):
        return x
    inner_h, inner_w = x.shape[1:3]
    result = np.full((n, top + inner_h + bottom, left + inner_w + right, c), fill, x.dtype)
    result[:, top : top + inner_h, left : left + inner_w] = x
    return result


def sliding(
    x: Array, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> npt.NDArray[Any]:
    """A read-only view (N, OH, OW, KH, KW, C) of every window of x (N, H, W, C); no copy."""
    n, h, w, c = x.shape
    oh = window_positions(h, kernel[0], stride[0], 0, 0, dilation[0])
    ow = window_positions(w, kernel[1], stride[1], 0, 0, dilation[1])
    if oh < 1 or ow < 1:
        raise ValueError(f"a {tuple(kernel)} window does not fit a padded input of {h}x{w}")
    batch, row, column, channel = x.strides
    return np.lib.stride_tricks.as_strided(
        x,
        (n, oh, ow, kernel[0], kernel[1], c),
        (
            batch,
            row * stride[0],
            column * stride[1],
            row * dilation[0],
            column * dilation[1],
            channel,
        ),
        writeable=False,
    )

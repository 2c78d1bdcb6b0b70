"""Spreading and sliding windows over channel-last tensors, shared by convolution and pooling."""

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

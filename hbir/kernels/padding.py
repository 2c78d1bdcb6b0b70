"""Padding and cropping of H and W; a leaf of the convolution and pooling kernels of both worlds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hbir.kernels.types import Array


def pad_height_width(x: Array, pad: Sequence[int], fill: float = 0) -> Array:
    """x: (N, H, W, C) with pad [top, left, bottom, right] of `fill`; negative pads crop.

    x itself, or a view of it, when nothing is added.
    """
    if not any(pad):
        return x
    top, left, bottom, right = pad
    height, width = x.shape[1:3]
    x = x[:, max(0, -top) : height - max(0, -bottom), max(0, -left) : width - max(0, -right)]
    top, left, bottom, right = (max(0, side) for side in pad)
    if not (top or left or bottom or right):
        return x
    batch, height, width, channels = x.shape
    shape = (batch, top + height + bottom, left + width + right, channels)
    padded = np.zeros(shape, x.dtype) if fill == 0 else np.full(shape, fill, x.dtype)
    padded[:, top : top + height, left : left + width] = x
    return padded

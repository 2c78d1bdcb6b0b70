"""Padding and cropping of H and W; a leaf of the convolution and pooling kernels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hbir.kernels.types import FloatArray


def pad_height_width(x: FloatArray, pad: Sequence[int], value: float = 0.0) -> FloatArray:
    """x: (N, H, W, C) with pad [top, left, bottom, right] of `value`; negative pads crop.

    A view of x when nothing is added.
    """
    top, left, bottom, right = pad
    height, width = x.shape[1:3]
    x = x[
        :,
        max(0, -top) : height - max(0, -bottom),
        max(0, -left) : width - max(0, -right),
    ]
    top, left, bottom, right = (max(0, side) for side in pad)
    if not (top or left or bottom or right):
        return x
    batch, height, width, channels = x.shape
    shape = (batch, top + height + bottom, left + width + right, channels)
    padded = np.zeros(shape, x.dtype) if value == 0.0 else np.full(shape, value, x.dtype)
    padded[:, top : top + height, left : left + width] = x
    return padded

"""All windows of a channel-last tensor at once, as a view."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.lib.stride_tricks import as_strided

from hbir.kernels.types import Array
from hbir.kernels.window import window_shape

_NO_PAD = (0, 0, 0, 0)


def sliding(
    x: Array, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> Array:
    """A read-only view (N, OH, OW, KH, KW, C) of every window of x (N, H, W, C); no copy.

    x: padded already. Raises ValueError where no window fits.
    """
    batches, height, width, channels = x.shape
    size = window_shape((height, width), kernel, stride, _NO_PAD, dilation)
    if min(size) < 1:
        raise ValueError(
            f"a {tuple(kernel)} window does not fit a padded input of {height}x{width}"
        )
    batch, row, column, channel = x.strides
    return as_strided(
        x,
        (batches, *size, kernel[0], kernel[1], channels),
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

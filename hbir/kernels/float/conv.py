"""Convolution and its transpose.

Windows are laid out as rows of a matrix (im2col) and multiplied by BLAS, one product per group; a
depthwise convolution, for which that would be all copying, is a sum of shifted products instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hbir.kernels.padding import pad_height_width
from hbir.kernels.sliding import sliding
from hbir.kernels.table import kernel
from hbir.kernels.types import FloatArray
from hbir.kernels.window import transposed_window_shape, window_shape

_BLOCK_BYTES = 1 << 24
"""Size of the window matrix that is built at once: large enough for BLAS, small enough to stay
cheap in memory on large images."""

_CACHE_BYTES = 1 << 20
"""Size of the accumulator of a depthwise convolution's block, which should stay in the cache."""


@kernel("hbir.conv2d")
def conv2d(
    x: FloatArray,
    w: FloatArray,
    bias: FloatArray | None = None,
    *,
    stride: Sequence[int] = (1, 1),
    pad: Sequence[int] = (0, 0, 0, 0),
    dilation: Sequence[int] = (1, 1),
    group_num: int = 1,
) -> FloatArray:
    """x: (N, H, W, Cin), w: (Cout, KH, KW, Cin/group_num), bias: (Cout) → (N, OH, OW, Cout)."""
    out_channels, kernel_height, kernel_width, group_channels = w.shape
    size = window_shape(x.shape[1:3], (kernel_height, kernel_width), stride, pad, dilation)
    x = pad_height_width(x, pad)
    output = np.empty((x.shape[0], *size, out_channels), np.float32)
    windows = sliding(x, (kernel_height, kernel_width), stride, dilation)
    if group_channels == 1 and group_num > 1:
        _convolve_depthwise(windows, w, output)
    else:
        _convolve(windows, w, group_num, output)
    if bias is not None:
        output += bias
    return output


def _row_blocks(windows: FloatArray, row_bytes: int, block_bytes: int) -> Iterator[slice]:
    """Slices of result rows, of at most `block_bytes` each (but one row at least)."""
    rows = windows.shape[1]
    step = max(1, block_bytes // max(1, row_bytes))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def _convolve(windows: FloatArray, w: FloatArray, groups: int, output: FloatArray) -> None:
    batch, _, width, kernel_height, kernel_width, channels = windows.shape
    taps = kernel_height * kernel_width
    group_in, group_out = channels // groups, w.shape[0] // groups
    matrices = [
        w[g * group_out : (g + 1) * group_out].reshape(group_out, taps * group_in).T
        for g in range(groups)
    ]
    row_bytes = width * taps * group_in * 4
    for n in range(batch):
        for rows in _row_blocks(windows, row_bytes, _BLOCK_BYTES):
            for g, matrix in enumerate(matrices):
                inputs = slice(g * group_in, (g + 1) * group_in)
                block = windows[n, rows, ..., inputs]
                columns = block.reshape(block.shape[0] * width, taps * group_in)
                _multiply(columns, matrix, output[n, rows, :, g * group_out : (g + 1) * group_out])


def _multiply(columns: FloatArray, matrix: FloatArray, output: FloatArray) -> None:
    """output = columns · matrix, written in place where the memory is contiguous."""
    if output.flags.c_contiguous:
        np.matmul(columns, matrix, out=output.reshape(columns.shape[0], matrix.shape[1]))
    else:
        output[...] = (columns @ matrix).reshape(output.shape)


def _convolve_depthwise(windows: FloatArray, w: FloatArray, output: FloatArray) -> None:
    """Cin groups of one channel each; w: (Cin·multiplier, KH, KW, 1)."""
    batch, _, width, kernel_height, kernel_width, channels = windows.shape
    multiplier = w.shape[0] // channels
    taps = w.reshape(channels, multiplier, kernel_height, kernel_width)
    output = output.reshape(*output.shape[:3], channels, multiplier)
    for n in range(batch):
        for rows in _row_blocks(windows, width * channels * multiplier * 4, _CACHE_BYTES):
            block = output[n, rows]
            product = np.empty_like(block)
            for index, (kh, kw) in enumerate(np.ndindex(kernel_height, kernel_width)):
                target = product if index else block
                np.multiply(windows[n, rows, :, kh, kw, :, None], taps[..., kh, kw], out=target)
                if index:
                    block += product


@kernel("hbir.convtranspose")
def convtranspose(
    x: FloatArray,
    w: FloatArray,
    bias: FloatArray | None = None,
    *,
    stride: Sequence[int] = (1, 1),
    pad: Sequence[int] = (0, 0, 0, 0),
    dilation: Sequence[int] = (1, 1),
    group_num: int = 1,
) -> FloatArray:
    """x: (N, H, W, Cin), w: (Cin, KH, KW, Cout/group_num), bias: (Cout) → (N, OH, OW, Cout).

    Each input element adds its multiple of the kernel to the result, from which the pads are cut.
    """
    batch, height, width, _ = x.shape
    _, kernel_height, kernel_width, group_out = w.shape
    kernel_size = (kernel_height, kernel_width)
    full = transposed_window_shape((height, width), kernel_size, stride, (0, 0, 0, 0), dilation)
    spread = np.zeros((batch, *full, group_num * group_out), np.float32)
    products = _transposed_products(x, w, group_num)
    for kh, kw in np.ndindex(kernel_size):
        top, left = kh * dilation[0], kw * dilation[1]
        rows = slice(top, top + (height - 1) * stride[0] + 1, stride[0])
        columns = slice(left, left + (width - 1) * stride[1] + 1, stride[1])
        spread[:, rows, columns] += products[..., kh, kw, :].reshape(
            batch, height, width, group_num * group_out
        )
    output = np.ascontiguousarray(pad_height_width(spread, [-side for side in pad]))
    if bias is not None:
        output += bias
    return output


def _transposed_products(x: FloatArray, w: FloatArray, groups: int) -> FloatArray:
    """Each input element times its filters: (groups-major) (N, H, W, G, KH, KW, Cout/G)."""
    channels, kernel_height, kernel_width, group_out = w.shape
    group_in = channels // groups
    pixels = x.reshape(-1, groups, group_in).transpose(1, 0, 2)
    filters = w.reshape(groups, group_in, kernel_height * kernel_width * group_out)
    products = np.matmul(pixels, filters).transpose(1, 0, 2)
    return products.reshape(*x.shape[:3], groups, kernel_height, kernel_width, group_out)

"""`bpu.conv2d`: the integer convolution, as two halves.

`conv2d_accumulate` gives the sum of products, `conv2d_finish` everything after it; the op is their
composition. A split of the reduction adds accumulators between the halves, a raw output stops
before the requantization, so neither needs a definition of its own.

Products run on float BLAS where that is exact, which holds for any order of summation when every
partial sum stays within the mantissa: |x| * |w| * terms <= 2^24 in float32, 2^53 in float64. For
int8 by int8 that is 2^7 * 2^7 * 1024, so longer reductions are cut into chunks of 1024 terms whose
sums are added in int32. The bound holds for every possible weight; nothing needs checking.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hbir.kernels.integer.requantize import finish, saturate, scale_residual
from hbir.kernels.padding import pad_height_width
from hbir.kernels.sliding import sliding
from hbir.kernels.table import kernel
from hbir.kernels.types import Array
from hbir.kernels.window import window_positions

_BLOCK_ELEMENTS = 1 << 18
"""Elements of the window matrix that are built at once: 1 MB in float32, about a core's L2."""


@kernel("bpu.conv2d")
def conv2d(
    x: Array,
    w: Array,
    qpp: Array,
    residual: Array | None = None,
    *,
    stride: Sequence[int] = (1, 1),
    pad: Sequence[int] = (0, 0, 0, 0),
    dilation: Sequence[int] = (1, 1),
    group_num: int = 1,
    input_dilation: Sequence[int] = (1, 1),
    pad_value: int = 0,
    output_zero_point: int = 0,
    clip: tuple[int, int] | None = None,
    dtype: npt.DTypeLike = np.int8,
) -> Array:
    """finish(accumulate(x, w), qpp, residual). x (N, H, W, Cin), w (Cout, KH, KW, Cin / groups)."""
    accumulator = conv2d_accumulate(
        x,
        w,
        stride=stride,
        pad=pad,
        dilation=dilation,
        group_num=group_num,
        input_dilation=input_dilation,
        pad_value=pad_value,
    )
    return conv2d_finish(
        accumulator,
        qpp,
        residual,
        output_zero_point=output_zero_point,
        clip=clip,
        dtype=dtype,
    )


def conv2d_accumulate(
    x: Array,
    w: Array,
    *,
    stride: Sequence[int] = (1, 1),
    pad: Sequence[int] = (0, 0, 0, 0),
    dilation: Sequence[int] = (1, 1),
    group_num: int = 1,
    input_dilation: Sequence[int] = (1, 1),
    pad_value: int = 0,
) -> Array:
    """Sum of products (N, OH, OW, Cout): int32 for int8 by int8, int64 when either is wider.

    x is spread by `input_dilation` (transposed convolution), then padded with `pad_value` or, for
    negative pads, cropped; zero points are the caller's business (they sit in the bias).
    """
    accumulator_dtype = np.int32 if x.dtype == w.dtype == np.int8 else np.int64
    x = pad_height_width(_spread(x, input_dilation, pad_value), pad, pad_value)
    cout, kh, kw, group_cin = w.shape
    shape = (
        x.shape[0],
        window_positions(x.shape[1], kh, stride[0], 0, 0, dilation[0]),
        window_positions(x.shape[2], kw, stride[1], 0, 0, dilation[1]),
        cout,
    )
    result = np.empty(shape, accumulator_dtype)
    if group_cin == 1 and group_num > 1:
        _accumulate_depthwise(x, w, stride, dilation, result)
        return result
    group_cout = cout // group_num
    for group in range(group_num):
        inputs = slice(group * group_cin, (group + 1) * group_cin)
        outputs = slice(group * group_cout, (group + 1) * group_cout)
        _accumulate_group(x[..., inputs], w[outputs], stride, dilation, result[..., outputs])
    return result


def conv2d_finish(
    accumulator: Array,
    qpp: Array,
    residual: Array | None = None,
    *,
    output_zero_point: int = 0,
    clip: tuple[int, int] | None = None,
    dtype: npt.DTypeLike = np.int8,
) -> Array:
    """clip(sat(requantize(accumulator + bias + R, m, s) + zo)) along the last axis.

    qpp: si32 (Cout, 3 or 5), columns bias, m, s[, m_residual, s_residual]. R is the residual
    rescaled to the accumulator's scale. A 32-bit or wider dtype gives accumulator + bias + R out
    raw, clipped but not requantized and without a zero point. float16 is the value itself, not
    requantized: (accumulator + bias + R) * m * 2^-s, to which a float16 residual is added last.
    """
    bias, *scaling = qpp.astype(np.int64).T
    raw = np.dtype(dtype).itemsize >= 4
    added = None
    if np.dtype(dtype) == np.float16 and residual is not None and residual.dtype == np.float16:
        added, residual = residual, None
    if residual is None and not raw and np.dtype(dtype).kind != "f":
        # (a + bias) * m + half == a * m + (bias * m + half): a pass over the tensor fewer.
        multiplier, shift = scaling
        value = np.multiply(accumulator, multiplier, dtype=np.int64)
        value += bias * multiplier + (np.int64(1) << (shift - 1))
        value >>= shift
        return saturate(value, output_zero_point, clip, dtype)
    value = np.add(accumulator, bias, dtype=np.int64)
    if residual is not None:
        value += scale_residual(residual, scaling[2], scaling[3])
    if raw:
        return saturate(value, 0, clip, dtype)
    value *= scaling[0]
    return finish(value, scaling[1], output_zero_point, clip, dtype, added)


def exact_float(x_dtype: npt.DTypeLike, w_dtype: npt.DTypeLike) -> tuple[npt.DTypeLike, int]:
    """The float type that multiplies such integers exactly, and how many products it may sum."""
    magnitude_bits = 8 * (np.dtype(x_dtype).itemsize + np.dtype(w_dtype).itemsize) - 2
    if magnitude_bits <= 14:
        return np.float32, 1 << (24 - magnitude_bits)
    return np.float64, 1 << (53 - magnitude_bits)


def _accumulate_group(
    x: Array, w: Array, stride: Sequence[int], dilation: Sequence[int], result: Array
) -> None:
    """One group's sums into `result` (N, OH, OW, Cout), window matrix by matrix product."""
    cout, kh, kw, cin = w.shape
    float_type, chunk = exact_float(x.dtype, w.dtype)
    terms = kh * kw * cin
    weights = w.reshape(cout, terms).astype(float_type).T
    windows = sliding(x, (kh, kw), stride, dilation)
    n, oh, ow = windows.shape[:3]
    # A block is some rows of one image, or several small images (a linear layer's rows) whole.
    images = max(1, _BLOCK_ELEMENTS // (oh * ow * terms))
    rows = oh if images > 1 else max(1, _BLOCK_ELEMENTS // (ow * terms))
    for image in range(0, n, images):
        for row in range(0, oh, rows):
            block = windows[image : image + images, row : row + rows]
            matrix = block.astype(float_type, order="C").reshape(-1, terms)
            sums = result[image : image + images, row : row + rows]
            sums[...] = (matrix[:, :chunk] @ weights[:chunk]).reshape(sums.shape)
            for start in range(chunk, terms, chunk):
                part = matrix[:, start : start + chunk] @ weights[start : start + chunk]
                sums += part.astype(result.dtype).reshape(sums.shape)


def _spread(x: Array, factors: Sequence[int], fill: int) -> Array:
    """x (N, H, W, C) with factor - 1 elements `fill` between its rows and columns."""
    if tuple(factors) == (1, 1):
        return x
    n, h, w, c = x.shape
    shape = (n, (h - 1) * factors[0] + 1, (w - 1) * factors[1] + 1, c)
    result = np.full(shape, fill, x.dtype)
    result[:, :: factors[0], :: factors[1]] = x
    return result


def _accumulate_depthwise(
    x: Array, w: Array, stride: Sequence[int], dilation: Sequence[int], result: Array
) -> None:
    """One input channel per group: a sum over the taps, channels side by side."""
    cout, kh, kw, _ = w.shape
    float_type: npt.DTypeLike
    float_type, chunk = exact_float(x.dtype, w.dtype)
    if kh * kw > chunk:
        float_type = np.float64
    multiplicity = cout // x.shape[3]
    if multiplicity > 1:
        x = np.repeat(x, multiplicity, axis=3)
    taps: npt.NDArray[Any] = w[..., 0].transpose(1, 2, 0).astype(float_type, order="C")
    n, oh, ow, _ = result.shape
    # With stride 1 a row's columns and channels are one run of memory: longer inner loops.
    flat = stride[1] == 1
    if flat:
        taps = np.tile(taps, (1, 1, ow))
    rows = max(1, (_BLOCK_ELEMENTS >> 3) // (ow * cout))
    for image in range(n):
        for row in range(0, oh, rows):
            count = min(rows, oh - row)
            first = row * stride[0]
            last = first + (count - 1) * stride[0] + (kh - 1) * dilation[0] + 1
            block = x[image : image + 1, first:last].astype(float_type, order="C")
            windows = sliding(block, (kh, kw), stride, dilation)[0]
            if flat:
                windows = _merge_columns(windows)
            sums = result[image, row : row + count]
            sums[...] = np.einsum("...ijc,ijc->...c", windows, taps).reshape(sums.shape)


def _merge_columns(windows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(OH, OW, KH, KW, C) of stride 1 in the columns as (OH, KH, KW, OW * C), without a copy."""
    oh, ow, kh, kw, channels = windows.shape
    row, _, tap_row, tap_column, element = windows.strides
    return np.lib.stride_tricks.as_strided(
        windows,
        (oh, kh, kw, ow * channels),
        (row, tap_row, tap_column, element),
        writeable=False,
    )

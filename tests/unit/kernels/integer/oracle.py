"""The integer arithmetic once more, independently: plain Python integers, one element at a time.

Nothing here calls hbir. Slow on purpose; the tests use small shapes.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def round_half_up(numerator: int, shift: int) -> int:
    """floor(numerator / 2^shift + 1/2) in exact integer arithmetic."""
    return (2 * numerator + 2**shift) // 2 ** (shift + 1)


def saturated(value: int, dtype: npt.DTypeLike, clip: tuple[int, int] | None = None) -> int:
    """value limited to dtype, then to clip."""
    bits = 8 * np.dtype(dtype).itemsize
    value = max(-(2 ** (bits - 1)), min(2 ** (bits - 1) - 1, value))
    return value if clip is None else max(clip[0], min(clip[1], value))


def conv_sums(
    x: Array,
    w: Array,
    *,
    stride: Sequence[int],
    pad: Sequence[int],
    dilation: Sequence[int],
    group_num: int,
    input_dilation: Sequence[int],
    pad_value: int,
) -> Array:
    """The sums of products of a convolution, by reading x at computed positions; int64."""
    n, height, width, _ = x.shape
    cout, kh, kw, group_cin = w.shape
    spread = [(height - 1) * input_dilation[0] + 1, (width - 1) * input_dilation[1] + 1]
    out = [
        (spread[a] + pad[a] + pad[a + 2] - dilation[a] * (k - 1) - 1) // stride[a] + 1
        for a, k in enumerate((kh, kw))
    ]
    result = np.zeros((n, out[0], out[1], cout), np.int64)
    for b, i, j, o in np.ndindex(*result.shape):
        first = o // (cout // group_num) * group_cin
        total = 0
        for p, q in itertools.product(range(kh), range(kw)):
            row = i * stride[0] + p * dilation[0] - pad[0]
            column = j * stride[1] + q * dilation[1] - pad[1]
            inside = 0 <= row < spread[0] and 0 <= column < spread[1]
            held = inside and row % input_dilation[0] == 0 and column % input_dilation[1] == 0
            for c in range(group_cin):
                value = pad_value
                if held:
                    at = row // input_dilation[0], column // input_dilation[1]
                    value = int(x[b, at[0], at[1], first + c])
                total += value * int(w[o, p, q, c])
        result[b, i, j, o] = total
    return result


def conv_finish(
    sums: Array,
    qpp: Array,
    residual: Array | None,
    *,
    output_zero_point: int,
    clip: tuple[int, int] | None,
    dtype: npt.DTypeLike,
) -> Array:
    """Bias, residual, requantization, zero point, saturation, clip."""
    result = np.zeros(sums.shape, dtype)
    for index in np.ndindex(*sums.shape):
        bias, multiplier, shift, *scaling = (int(v) for v in qpp[index[-1]])
        value = int(sums[index]) + bias
        if residual is not None:
            product = int(residual[index]) * scaling[0]
            value += (
                round_half_up(product, scaling[1]) if scaling[1] > 0 else product * 2 ** -scaling[1]
            )
        if np.dtype(dtype).itemsize < 4:
            value = round_half_up(value * multiplier, shift) + output_zero_point
        result[index] = saturated(value, dtype, clip)
    return result


def window_sums(
    x: Array, kernel: Sequence[int], stride: Sequence[int], pad: Sequence[int]
) -> list[tuple[tuple[int, ...], list[int]]]:
    """Per output index of a pool: the elements of its window that lie inside x."""
    n, height, width, channels = x.shape
    out = [
        (size + pad[a] + pad[a + 2] - kernel[a]) // stride[a] + 1
        for a, size in enumerate((height, width))
    ]
    result: list[tuple[tuple[int, ...], list[int]]] = []
    for b, i, j, c in itertools.product(range(n), range(out[0]), range(out[1]), range(channels)):
        rows = [i * stride[0] - pad[0] + p for p in range(kernel[0])]
        columns = [j * stride[1] - pad[1] + q for q in range(kernel[1])]
        inside = [
            int(x[b, r, s, c])
            for r, s in itertools.product(rows, columns)
            if 0 <= r < height and 0 <= s < width
        ]
        result.append(((b, i, j, c), inside))
    return result

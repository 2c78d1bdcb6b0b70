"""`bpu.resize2d`: fixed-point source positions from the absolute output index.

The position of output index o is step * (o + out_offset) + initial_offset in integers with
`fraction_bits` fraction bits, clamped to the whole input. It depends on nothing but the absolute
index, so a tile computed alone has the same bits as that part of the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hbir.kernels.float16.rounding import to_float16
from hbir.kernels.parameters import RESIZE_WEIGHT_BITS
from hbir.kernels.table import kernel
from hbir.kernels.types import Array

Int64Array = npt.NDArray[np.int64]


@kernel("bpu.resize2d")
def resize2d(
    x: Array,
    *,
    size: Sequence[int],
    step: Sequence[int],
    initial_offset: Sequence[int],
    mode: str,
    nearest_mode: str = "round_prefer_floor",
    fraction_bits: int = 32,
    out_offset: Sequence[int] = (0, 0),
    in_offset: Sequence[int] = (0, 0),
    in_size: Sequence[int] | None = None,
) -> Array:
    """x (N, H, W, C) sampled at `size` positions per axis; scale and zero point stay.

    bilinear: (sum of four neighbours * wy * wx + 2^21) >> 22 with 11-bit weights that sum to 2^22.
    A tile gives its own `size`, `out_offset` (its first output row and column), `in_offset` (the
    first input row and column that x holds) and `in_size` (H, W of the whole input); x must hold
    the rows and columns of `source_range`, else ValueError.
    """
    whole = tuple(x.shape[1:3]) if in_size is None else tuple(in_size)
    indices: list[tuple[Int64Array, Int64Array, Int64Array]] = []
    for axis in range(2):
        first, second, weight = neighbours(
            size[axis],
            step[axis],
            initial_offset[axis],
            whole[axis],
            mode=mode,
            nearest_mode=nearest_mode,
            fraction_bits=fraction_bits,
            out_offset=out_offset[axis],
        )
        first, second = first - in_offset[axis], second - in_offset[axis]
        if first.min() < 0 or second.max() >= x.shape[axis + 1]:
            raise ValueError(
                f"resize2d: axis {axis + 1} needs input {first.min()}..{second.max()} of the tile,"
                f" which holds {x.shape[axis + 1]}"
            )
        indices.append((first, second, weight))
    (top, bottom, wy), (left, right, wx) = indices
    if mode == "nearest":
        return x[:, top[:, None], left]
    accumulator = sum_type(x)
    one = 1 << RESIZE_WEIGHT_BITS
    wide = x.astype(accumulator)
    wx = wx.astype(accumulator)[:, None]
    wy = wy.astype(accumulator)[:, None, None]
    columns = wide[:, :, left] * (one - wx) + wide[:, :, right] * wx
    value = columns[:, top] * (one - wy) + columns[:, bottom] * wy
    return weighted(value, x.dtype)


def sum_type(x: Array) -> type[np.int32 | np.int64 | np.float64]:
    """In which type neighbours of x are weighted and added."""
    if x.dtype.kind == "f":
        return np.float64
    return np.int32 if x.dtype == np.int8 else np.int64


def weighted(value: Array, dtype: np.dtype[Any]) -> Array:
    """The mean that a sum with weights of 2^22 in all stands for, rounded to `dtype`; float16 is
    rounded to nearest, integers' ties go up."""
    if value.dtype.kind == "f":
        return to_float16(value * 2.0 ** (-2 * RESIZE_WEIGHT_BITS))
    value += 1 << (2 * RESIZE_WEIGHT_BITS - 1)
    value >>= 2 * RESIZE_WEIGHT_BITS
    return value.astype(dtype)


def neighbours(
    size: int,
    step: int,
    initial_offset: int,
    in_size: int,
    *,
    mode: str,
    nearest_mode: str = "round_prefer_floor",
    fraction_bits: int = 32,
    out_offset: int = 0,
) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Per output index of one axis: the two input indices it reads and the second one's weight.

    The weight has 11 bits (0..2047); where it is 0 both indices are the same. Nearest reads one
    index, with weight 0. Indices are into the whole input.
    """
    one = 1 << fraction_bits
    position = step * (np.arange(size, dtype=np.int64) + out_offset) + initial_offset
    position = np.clip(position, 0, (in_size - 1) * one)
    if mode == "nearest":
        index = np.clip(_NEAREST[nearest_mode](position, fraction_bits), 0, in_size - 1)
        return index, index, np.zeros_like(index)
    kept = fraction_bits - RESIZE_WEIGHT_BITS
    rounded = (position + (1 << (kept - 1))) >> kept
    first = rounded >> RESIZE_WEIGHT_BITS
    weight = rounded & ((1 << RESIZE_WEIGHT_BITS) - 1)
    return first, first + (weight > 0), weight


def source_range(
    size: int,
    step: int,
    initial_offset: int,
    in_size: int,
    *,
    mode: str,
    nearest_mode: str = "round_prefer_floor",
    fraction_bits: int = 32,
    out_offset: int = 0,
) -> tuple[int, int]:
    """First and one-past-last input index that `size` outputs from `out_offset` on read."""
    first, second, _ = neighbours(
        size,
        step,
        initial_offset,
        in_size,
        mode=mode,
        nearest_mode=nearest_mode,
        fraction_bits=fraction_bits,
        out_offset=out_offset,
    )
    return int(first.min()), int(second.max()) + 1


def _floor(position: Int64Array, bits: int) -> Int64Array:
    return position >> bits


def _ceil(position: Int64Array, bits: int) -> Int64Array:
    return -(-position >> bits)


def _round_prefer_floor(position: Int64Array, bits: int) -> Int64Array:
    return _ceil(position - (1 << (bits - 1)), bits)


def _round_prefer_ceil(position: Int64Array, bits: int) -> Int64Array:
    return _floor(position + (1 << (bits - 1)), bits)


_NEAREST = {
    "floor": _floor,
    "ceil": _ceil,
    "round_prefer_floor": _round_prefer_floor,
    "round_prefer_ceil": _round_prefer_ceil,
}

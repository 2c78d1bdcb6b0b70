"""Comparisons of two quantized tensors, and choosing by a quantized truth value.

A truth value on the BPU is a quantized number from 0 to 1: false is the zero point, true the
integer of 1.0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hbir.kernels.comparisons import COMPARISONS
from hbir.kernels.table import kernel
from hbir.kernels.types import Array

BoolArray = npt.NDArray[np.bool_]


@kernel("bpu.compare")
def compare(
    x: Array,
    y: Array,
    *,
    mode: str,
    multipliers: Sequence[int],
    zero_points: Sequence[int] = (0, 0),
    values: Sequence[int] = (0, 1),
    dtype: npt.DTypeLike = np.int8,
) -> Array:
    """values[1] where (x - zx) * mx - (y - zy) * my compares with 0 as `mode` says, else values[0].

    x, y: si8 or si16, broadcasting.
    """
    # |x - zx| < 2^17 and multipliers < 2^15: a difference stays below 2^33.
    difference = np.subtract(x, zero_points[0], dtype=np.int64) * multipliers[0]
    difference = difference - np.subtract(y, zero_points[1], dtype=np.int64) * multipliers[1]
    table = np.array(values, dtype)
    return table[COMPARISONS[mode](difference, 0).astype(np.intp)]


@kernel("bpu.where")
def where(condition: Array, x: Array, y: Array, *, condition_zero_point: int = 0) -> Array:
    """x where the condition isn't its zero point, else y; all three broadcast.

    x, y and the result share scale and zero point.
    """
    return np.where(condition != condition_zero_point, x, y)

"""Element-wise float16 ops over NumPy broadcasting: one float32 operation, one rounding.

A product of two float16 is exact in float32, and float32's 24 bits are enough (2 * 11 + 2) for a
sum rounded twice to be the sum rounded once. So add, sub and mul are IEEE 754's, saturated.
"""

from __future__ import annotations

import numpy as np

from hbir.kernels.comparisons import COMPARISONS
from hbir.kernels.float16.rounding import to_float16
from hbir.kernels.table import kernel
from hbir.kernels.types import Array


@kernel("bpu.float_add")
def float_add(x: Array, y: Array) -> Array:
    """float16(x + y)."""
    return to_float16(np.add(x, y, dtype=np.float32))


@kernel("bpu.float_sub")
def float_sub(x: Array, y: Array) -> Array:
    """float16(x - y)."""
    return to_float16(np.subtract(x, y, dtype=np.float32))


@kernel("bpu.float_mul")
def float_mul(x: Array, y: Array) -> Array:
    """float16(x * y)."""
    return to_float16(np.multiply(x, y, dtype=np.float32))


@kernel("bpu.float_prelu")
def float_prelu(x: Array, slope: Array) -> Array:
    """x where it isn't negative, else float16(x * slope); slope over the last axis, or one."""
    return np.where(x >= 0, x, float_mul(x, slope))


@kernel("bpu.float_compare")
def float_compare(x: Array, y: Array, *, mode: str) -> Array:
    """1 where x compares with y as `mode` says, else 0."""
    difference = np.subtract(x, y, dtype=np.float32)  # 0 for equal numbers alone
    return COMPARISONS[mode](difference, 0).astype(np.float16)

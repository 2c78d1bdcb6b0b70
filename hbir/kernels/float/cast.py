"""Changes of the element type."""

from __future__ import annotations

from typing import Any

import numpy as np

from hbir.kernels.float16.rounding import to_float16
from hbir.kernels.table import kernel
from hbir.kernels.types import Array, FloatArray


@kernel("hbir.cast_type")
def cast_type(x: Array, *, dtype: np.dtype[Any]) -> Array:
    """x as `dtype`; float to integer drops the fraction and saturates, nan becomes 0.

    What C leaves undefined (out of range, nan) is defined, so that results don't depend on the CPU.
    """
    if x.dtype.kind != "f" or dtype.kind not in "iu":
        with np.errstate(over="ignore"):
            return x.astype(dtype)
    limits = np.iinfo(dtype)
    low, high = float(limits.min), float(limits.max)
    whole = np.trunc(np.nan_to_num(x.astype(np.float64), nan=0.0))
    result = np.where((low < whole) & (whole < high), whole, 0.0).astype(dtype)
    result[whole >= high] = limits.max
    result[whole <= low] = limits.min
    return result


@kernel("hbir.fake_cast")
def fake_cast(x: FloatArray) -> FloatArray:
    """x rounded to float16, as the machine holds it, and back."""
    return to_float16(x).astype(np.float32)

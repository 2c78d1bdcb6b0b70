"""Hypothesis strategies of integer tensors and parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

Array = npt.NDArray[Any]

MULTIPLIERS = st.integers(1 << 14, (1 << 15) - 1)
SHIFTS = st.integers(2, 62)
SI8 = st.integers(-128, 127)


@st.composite
def tensors(
    draw: st.DrawFn, shape: tuple[int, ...], dtype: npt.DTypeLike = np.int8, low: int | None = None
) -> Array:
    """A tensor of uniform integers, or of the extremes alone, which random data never sums to."""
    info = np.iinfo(np.dtype(dtype).name)
    lowest = int(info.min) if low is None else low
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if draw(st.booleans()):
        return generator.integers(lowest, int(info.max) + 1, shape).astype(dtype)
    return generator.choice([lowest, int(info.max)], shape).astype(dtype)

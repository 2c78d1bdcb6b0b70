"""Indices as every level reads them: negative ones count from the end, all others are clamped.

An index beyond its axis is an error in ONNX and in PyTorch. Hardware can't raise one, so what it
reads there is defined: the nearest element.
"""

from __future__ import annotations

import numpy as np

from hbir.kernels.types import Array


def resolved(index: Array, extent: int) -> Array:
    """`index` (any integers) as positions 0 … extent − 1 (intp)."""
    positions = index.astype(np.int64)
    positions = np.where(positions < 0, positions + extent, positions)
    return np.clip(positions, 0, extent - 1).astype(np.intp)

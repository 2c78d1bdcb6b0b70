"""What the tables count: cosines of outputs, and tensors with 16 bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import hbir
from hbir.dialects.qnt import ConstFakeQuantOp

Array = np.ndarray[Any, Any]


def cosine(wanted: Array, found: Array) -> float:
    """The cosine between two arrays, in float64."""
    x, y = wanted.astype(np.float64).ravel(), found.astype(np.float64).ravel()
    return float(x @ y / (np.linalg.norm(x) * np.linalg.norm(y)))


def outputs_cosine(wanted: Sequence[dict[str, Array]], found: Sequence[dict[str, Array]]) -> float:
    """One cosine over all runs; of several outputs, the least."""
    return min(
        cosine(np.stack([run[name] for run in wanted]), np.stack([run[name] for run in found]))
        for name in wanted[0]
    )


def widths(calibrated: hbir.Module) -> tuple[int, int]:
    """How many tensors and weights have 16 bits, and how many are quantized in all."""
    bits = [
        op.params()["bits"]
        for op in calibrated.functions[0].operations
        if isinstance(op, ConstFakeQuantOp)
    ]
    return bits.count(16), len(bits)

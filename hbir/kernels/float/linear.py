"""Matrix products: with a constant weight (linear) and of two activations (matmul)."""

from __future__ import annotations

import numpy as np

from hbir.kernels.table import kernel
from hbir.kernels.types import FloatArray


@kernel("hbir.linear")
def linear(x: FloatArray, w: FloatArray, bias: FloatArray | None = None) -> FloatArray:
    """x: (..., Cin), w: (Cin, Cout), bias: (Cout) → (..., Cout)."""
    rows = x.reshape(-1, w.shape[0]) @ w
    if bias is not None:
        rows += bias
    return rows.reshape(*x.shape[:-1], w.shape[1])


@kernel("hbir.matmul")
def matmul(lhs: FloatArray, rhs: FloatArray, *, scale: float = 1.0) -> FloatArray:
    """scale · lhs · rhs; lhs: (..., M, K), rhs: (..., K, N), leading dimensions broadcast."""
    product = np.matmul(lhs, rhs)
    return product if scale == 1 else product * np.float32(scale)

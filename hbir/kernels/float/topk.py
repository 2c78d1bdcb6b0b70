"""The order of elements: which are the k greatest, or all of them sorted."""

from __future__ import annotations

import numpy as np

from hbir.kernels.table import kernel
from hbir.kernels.types import Array


@kernel("hbir.topk")
def topk(x: Array, *, k: int, dim: int = -1, largest: bool = True) -> Array:
    """The indices (int64) of the k greatest (or least) elements along the axis `dim`, best first.

    Among equals the one with the lower index comes first.
    """
    keys = x
    if largest:
        keys = np.negative(x) if x.dtype.kind == "f" else np.invert(x)  # no overflow
    order = np.argsort(keys, axis=dim, kind="stable")
    return order.take(np.arange(k), axis=dim).astype(np.int64)

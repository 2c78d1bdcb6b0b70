"""`bpu.lut`: a function of one int8, as its 256 results."""

from __future__ import annotations

import numpy as np

from hbir.kernels.table import kernel
from hbir.kernels.types import Array


@kernel("bpu.lut")
def lut(x: Array, table: Array) -> Array:
    """table[x + 128]; x si8 of any shape, table (256,) si8 or si16, the result has its element."""
    # Viewed as unsigned, negative codes come last: rotate the table instead of adding 128 to x.
    rotated = np.concatenate([table[128:], table[:128]])
    return rotated[np.ascontiguousarray(x).view(np.uint8).reshape(x.shape)]

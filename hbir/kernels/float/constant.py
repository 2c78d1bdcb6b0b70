"""The constant."""

from __future__ import annotations

from hbir.kernels.table import kernel
from hbir.kernels.types import Array


@kernel("hbir.constant")
def constant(*, values: Array) -> Array:
    """The array itself (a read-only view of the weight store)."""
    return values

"""Integers moved from where indices say: what the float ops of these names do, on integers."""

from __future__ import annotations

from hbir.kernels.float.index import gather_elements, index
from hbir.kernels.table import kernel

kernel("bpu.index")(index)
kernel("bpu.gather_elements")(gather_elements)

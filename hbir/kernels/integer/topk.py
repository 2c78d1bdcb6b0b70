"""The order of integers: quantization is monotone, so it's the float op."""

from __future__ import annotations

from hbir.kernels.float.topk import topk
from hbir.kernels.table import kernel

kernel("bpu.topk")(topk)

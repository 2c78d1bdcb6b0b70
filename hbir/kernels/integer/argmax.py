"""Where the greatest and the least integers are: quantization is monotone, so it's the float op."""

from __future__ import annotations

from hbir.kernels.float.argmax import reduce_argmax, reduce_argmin
from hbir.kernels.table import kernel

kernel("bpu.reduce_argmax")(reduce_argmax)
kernel("bpu.reduce_argmin")(reduce_argmin)

"""Average pooling of float16: sums of float32 in the order of the window, rows first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hbir.kernels.float16.rounding import to_float16
from hbir.kernels.integer.pool import fold_windows, valid_counts
from hbir.kernels.padding import pad_height_width
from hbir.kernels.table import kernel
from hbir.kernels.types import Array


@kernel("bpu.float_avg_pool")
def float_avg_pool(
    x: Array,
    *,
    kernel: Sequence[int],
    stride: Sequence[int] = (1, 1),
    pad: Sequence[int] = (0, 0, 0, 0),
    count_include_pad: bool = True,
) -> Array:
    """float16(sum of the window / elements), the elements inside x where padding doesn't count.

    Rows are added up first, each from the top, then columns from the left; padding is 0. A window
    wholly in the padding gives 0.
    """
    padded = pad_height_width(x.astype(np.float32), pad)
    rows = fold_windows(np.add, padded, 1, kernel[0], stride[0], 1)
    sums = fold_windows(np.add, rows, 2, kernel[1], stride[1], 1)
    if count_include_pad:
        return to_float16(sums / np.float32(kernel[0] * kernel[1]))
    counts = np.maximum(valid_counts(x.shape, kernel, stride, pad), 1).astype(np.float32)
    return to_float16(sums / counts[..., None])

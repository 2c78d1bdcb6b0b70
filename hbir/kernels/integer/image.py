"""`bpu.roi_resize`: the resizer in integers, 16-bit weights and one rounding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hbir.kernels.roi import FRACTION_BITS, resize_planes
from hbir.kernels.table import kernel
from hbir.kernels.types import Array

Int64Array = npt.NDArray[np.int64]


@kernel("bpu.roi_resize")
def roi_resize(
    roi: Array,
    y: Array,
    uv: Array | None = None,
    *,
    size: Sequence[int],
    mode: str,
    interpolate_mode: str,
    expansion_mode: str,
    pad_value: Sequence[int],
    out_offset: Sequence[int] = (0, 0),
    out_size: Sequence[int] | None = None,
) -> Array:
    """si8 (1, H, W, C): the roi, si32 (1, 4), of planes y and uv, ui8, resized to `size`, less 128.

    bilinear: (sum of four pixels * wy * wx + 2^31) >> 32 with 16-bit weights that sum to 2^32. A
    tile gives its `out_offset` and `out_size`, and has the bits of that part of the whole. Raises
    HbirError for a roi and planes that don't fit each other (`hbir.kernels.roi`).
    """
    return resize_planes(
        roi,
        [y] if uv is None else [y, uv],
        _blend,
        size=size,
        mode=mode,
        interpolate_mode=interpolate_mode,
        expansion_mode=expansion_mode,
        pad_value=pad_value,
        out_offset=out_offset,
        out_size=out_size,
    )


def _blend(corners: Sequence[Array], wy: Int64Array, wx: Int64Array) -> Array:
    one = 1 << FRACTION_BITS
    top_left, top_right, bottom_left, bottom_right = (corner.astype(np.int64) for corner in corners)
    top = top_left * (one - wx) + top_right * wx
    bottom = bottom_left * (one - wx) + bottom_right * wx
    total = top * (one - wy) + bottom * wy
    return ((total + (1 << (2 * FRACTION_BITS - 1))) >> (2 * FRACTION_BITS)).astype(np.uint8)

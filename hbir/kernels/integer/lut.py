"""`bpu.lut`: a function of one int8 as its 256 results, of one int16 as knots to interpolate.

Where one side is float16, a 16-bit operand has all of its 65536 results in the table.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hbir.kernels.lut_tables import SEGMENT_FRACTION_BITS
from hbir.kernels.table import kernel
from hbir.kernels.types import Array

_TABULATE_FROM = 1 << 15
"""Elements from which on it pays to compute the results of all 65536 codes, and look them up."""


@kernel("bpu.lut")
def lut(x: Array, table: Array, *, dtype: npt.DTypeLike | None = None) -> Array:
    """x si8: table[x + 128], table (256,) si8 or si16, whose element the result has.

    x si16: table si32 (N, 67), a row per segment: first code, shift s, knots 0..64. In the last
    segment whose first code is <= x, k, f = divmod(x - first, 2^s) and
    sat((knot[k] * 2^s + (knot[k+1] - knot[k]) * f + 2^(s+7)) >> (s + 8)), in `dtype` (si8 or si16).
    """
    if x.dtype == np.int8:
        # Viewed as unsigned, negative codes come last: rotate the table instead of adding 128 to x.
        rotated = np.concatenate([table[128:], table[:128]])
        return rotated[np.ascontiguousarray(x).view(np.uint8).reshape(x.shape)]
    if table.ndim == 1:
        return table[np.ascontiguousarray(x).view(np.uint16).reshape(x.shape)]
    result_dtype = np.dtype(np.int16 if dtype is None else dtype)
    if x.size < _TABULATE_FROM:
        return _interpolate(x, table, result_dtype)
    # In the order of the codes viewed as unsigned, as above.
    codes = np.arange(1 << 16, dtype=np.uint16).view(np.int16)
    results = _interpolate(codes, table, result_dtype)
    return results[np.ascontiguousarray(x).view(np.uint16).reshape(x.shape)]


def _interpolate(x: Array, table: Array, dtype: np.dtype[np.generic]) -> Array:
    code = x.astype(np.int64)
    segment = np.searchsorted(table[:, 0], code, side="right") - 1
    shift = table[:, 1].astype(np.int64)[segment]
    distance = code - table[:, 0][segment]
    interval = distance >> shift
    fraction = distance - (interval << shift)
    start = table[segment, 2 + interval].astype(np.int64)
    stop = table[segment, 3 + interval].astype(np.int64)
    # |knot| <= 2^30 and s <= 10: everything stays below 2^42.
    value = (start << shift) + (stop - start) * fraction
    total = shift + SEGMENT_FRACTION_BITS
    value += np.int64(1) << (total - 1)
    value >>= total
    info = np.iinfo(dtype.name)
    return np.clip(value, info.min, info.max).astype(dtype)

"""The table operand of `bpu.lut`, from a float64 function: 256 results, or segments of knots.

An int8 indexes its result. An int16 would need 65536 of them, so its table holds up to 64 segments
of 64 equal intervals, between whose ends `kernels/integer/lut.py` interpolates. Segments are dyadic
and lie dense where the function bends: the builder halves the worst one until all are good or the
table is full. Its error is known, not estimated: every code is looked at.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from hbir.kernels.float16.rounding import to_float16
from hbir.kernels.parameters import ParameterError
from hbir.kernels.types import Array

ElementFunction = Callable[[Array], Array]

SEGMENTS_MAX = 64
SEGMENT_INTERVALS = 64
"""Published: the hardware's int16 tables have N <= 64 segments of 64 entries."""

SEGMENT_COLUMNS = 2 + SEGMENT_INTERVALS + 1
"""Columns of the table: first code, shift, and the knots, both ends included."""

SEGMENT_FRACTION_BITS = 8
"""Fraction bits of a knot, so that rounding it costs 1/512 of a step (assumed)."""

KNOT_LIMIT = 1 << 30
"""Knots beyond are cut, at 2^22 steps of the result: every result there saturates."""

_SHIFT_MAX = 10
_CODES = 1 << 16
_GOOD_ENOUGH = 1 / 64
"""Steps of the result below which halving a segment further is no gain."""


def lut_table(
    function: ElementFunction,
    *,
    input_scale: float,
    output_scale: float,
    input_zero_point: int = 0,
    output_zero_point: int = 0,
    dtype: npt.DTypeLike = np.int8,
    input_dtype: npt.DTypeLike = np.int8,
) -> Array:
    """The table of bpu.lut, for inputs of `input_dtype` and results of `dtype`.

    int8: (256,) of `dtype`, entry x + 128 is round-half-even(f(x) / scale) + zero point, saturated.
    int16: the segments of `segmented_table`. `function` gets float64 and gives float64; infinities
    saturate, nan raises ParameterError. Where the result is in range, an int8's is within half a
    step of the float64 function.
    """
    exact = _exact_function(function, input_scale, output_scale, input_zero_point)
    if np.dtype(input_dtype).itemsize > 1:
        return segmented_table(lambda codes: exact(codes) + output_zero_point, dtype)
    info = np.iinfo(np.dtype(dtype).name)
    scaled = np.rint(exact(np.arange(-128, 128, dtype=np.float64))) + output_zero_point
    return np.clip(scaled, int(info.min), int(info.max)).astype(dtype)


def whole_table(
    function: ElementFunction,
    *,
    input_scale: float,
    output_scale: float,
    input_zero_point: int = 0,
    output_zero_point: int = 0,
    dtype: npt.DTypeLike = np.float16,
    input_dtype: npt.DTypeLike = np.float16,
) -> Array:
    """The table of bpu.lut where the input, the result or both are float16: every result.

    As `lut_table`, with `dtype` float16 for results rounded to float16, saturated. (256,) in the
    order of int8 codes, else (65536,), whose entry i is for the input whose bits are i. Entries for
    bits that are no number, or a negative zero, are those of 0.
    """
    given = np.dtype(input_dtype)
    if given == np.int8:
        codes = np.arange(-128, 128, dtype=np.float64)
    elif given == np.float16:
        numbers = np.arange(_CODES, dtype=np.uint16).view(np.float16).astype(np.float64)
        codes = np.where(np.isfinite(numbers), numbers, 0.0) + 0.0
    else:
        codes = np.arange(_CODES, dtype=np.uint16).view(np.int16).astype(np.float64)
    exact = _exact_function(function, input_scale, output_scale, input_zero_point)(codes)
    if np.dtype(dtype) == np.float16:
        return to_float16(exact)
    info = np.iinfo(np.dtype(dtype).name)
    scaled = np.rint(exact) + output_zero_point
    return np.clip(scaled, int(info.min), int(info.max)).astype(dtype)


def _exact_function(
    function: ElementFunction, input_scale: float, output_scale: float, input_zero_point: int
) -> ElementFunction:
    """Codes → the function's value there in steps of the result, float64."""
    for scale, what in ((input_scale, "input"), (output_scale, "output")):
        if not (np.isfinite(scale) and scale > 0):
            raise ParameterError(
                f"the {what}'s scale must be positive and finite, got {scale}; recalibrate that"
                " tensor"
            )

    def exact(codes: Array) -> Array:
        x = (codes - input_zero_point) * float(input_scale)
        with np.errstate(all="ignore"):
            y = np.asarray(function(x), np.float64) / float(output_scale)
        if y.shape != x.shape or np.any(np.isnan(y)):
            raise ParameterError(
                "a table's function must give one number per input; it is nan at"
                f" {x[np.isnan(y)][:3].tolist() if y.shape == x.shape else 'a wrong shape'}"
            )
        return y

    return exact


def segmented_table(exact: ElementFunction, dtype: npt.DTypeLike = np.int16) -> Array:
    """si32 (N, 67) for a function of an int16 code: N <= 64 segments in rising order.

    exact: codes (float64) → the result in its integers, not rounded. A row is the segment's first
    code, its shift s, and the knots 0..64 at first + k * 2^s, round-half-even of exact * 2^8 cut to
    +-2^30. The last segment's last knot is the value at 32767, continued along its last interval.
    """
    return _build(exact, dtype)[0]


def segmented_error(exact: ElementFunction, dtype: npt.DTypeLike = np.int16) -> float:
    """The largest distance, in steps, of `segmented_table`'s results from `exact` saturated."""
    return _build(exact, dtype)[1]


def _build(exact: ElementFunction, dtype: npt.DTypeLike) -> tuple[Array, float]:
    info = np.iinfo(np.dtype(dtype).name)
    low, high = int(info.min), int(info.max)
    values = np.clip(
        exact(np.arange(-_CODES // 2, _CODES // 2, dtype=np.float64)), -(2.0**22), 2.0**22
    )

    def segment(first: int, shift: int) -> tuple[float, int, int]:
        """(−error, first, shift): the heap's least entry is the worst segment."""
        codes = values[first : first + (SEGMENT_INTERVALS << shift)]
        knots = _knots(values, first, shift)
        start, stop = knots[:-1, None], knots[1:, None]
        line = start + (stop - start) * (np.arange(1 << shift) / (1 << shift))
        off = np.clip(line.reshape(-1), low, high) - np.clip(codes, low, high)
        return -float(np.abs(off).max()), first, shift

    heap = [segment(0, _SHIFT_MAX)]
    while len(heap) < SEGMENTS_MAX and -heap[0][0] > _GOOD_ENOUGH:
        _, first, shift = heapq.heappop(heap)
        half = SEGMENT_INTERVALS << (shift - 1)
        heapq.heappush(heap, segment(first, shift - 1))
        heapq.heappush(heap, segment(first + half, shift - 1))
    rows: list[npt.NDArray[Any]] = []
    for _, first, shift in sorted(heap, key=lambda entry: entry[1]):
        knots = np.rint(_knots(values, first, shift) * 2.0**SEGMENT_FRACTION_BITS)
        knots = np.clip(knots, -KNOT_LIMIT, KNOT_LIMIT)
        rows.append(np.concatenate([[first - _CODES // 2, shift], knots]))
    table = np.array(rows).astype(np.int32)
    rounding = 0.5 + 2.0 ** -(SEGMENT_FRACTION_BITS + 1)
    return table, rounding - heap[0][0]


def _knots(values: Array, first: int, shift: int) -> Array:
    """Exact values at the ends of a segment's intervals; beyond the last code, continued."""
    places = first + (np.arange(SEGMENT_INTERVALS + 1) << shift)
    knots = values[np.minimum(places, _CODES - 1)]
    if places[-1] == _CODES:
        # The last interval ends at code 32768, which does not exist: the line through its first
        # knot and the value at 32767 goes on to there.
        start = values[places[-2]]
        span = (1 << shift) - 1
        knots[-1] = start if span == 0 else start + (values[-1] - start) * (span + 1) / span
    return knots

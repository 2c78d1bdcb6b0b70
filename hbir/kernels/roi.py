"""The resizer: which pixels of an image a region of interest reads, and with what weights.

One answer for every level; float and integer kernels only weight and add. The roi is cropped first
and the crop is resized, each plane by itself, corner to corner. Published of the resizer are the
roi (left, top, right, bottom; corners included), the step below with its range (for the boards
before nash; assumed to hold for nash too), and bilinear weights. Assumed are: a position's 16
fraction bits are the weight, nearest rounds half up, chroma's roi is half of the roi, rounded down,
and chroma is made at half the size and repeated 2x2, as `hbir.image_convert` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from hbir.errors import HbirError
from hbir.kernels.types import Array

Int64Array = npt.NDArray[np.int64]

FRACTION_BITS = 16
MAX_STEP = 262143
"""Published range of the step: just below four source pixels per pixel of the result."""

MAX_EXTENT = 8192
"""Published: rows and columns of an image."""

PLANES = {"NV12": ((1, 1), (2, 2)), "GRAY": ((1, 1),)}
"""Mode → per plane its channels, and how many pixels one of its elements stands for along an
axis."""

INTERPOLATE_MODES = ("bilinear", "nearest")

Blend: TypeAlias = Callable[[Sequence[Array], Int64Array, Int64Array], Array]
"""(top left, top right, bottom left, bottom right), weights of bottom and of right in 2^-16 →
bytes."""


def source_step(source: int, target: int) -> int:
    """Source pixels per pixel of the result, with 16 fraction bits: corner to corner, rounded."""
    if target < 2:
        return 0
    return (((source - 1) << FRACTION_BITS) + (target - 1) // 2) // (target - 1)


def resize_planes(
    roi: Array,
    planes: Sequence[Array],
    blend: Blend,
    *,
    size: Sequence[int],
    mode: str,
    interpolate_mode: str,
    expansion_mode: str,
    pad_value: Sequence[int],
    out_offset: Sequence[int] = (0, 0),
    out_size: Sequence[int] | None = None,
) -> Array:
    """si8 (1, H, W, C): the roi of ui8 planes (1, ?, ?, 1) and (1, ?/2, ?/2, 2), each value less
    128.

    size: H, W of the whole result; out_offset, out_size: the part of it that is computed.
    pad_value: per plane, what lies outside the image in expansion mode `constant`, modulo 256.
    Raises HbirError for planes and a roi that don't fit each other.
    """
    left, top, right, bottom = _checked_roi(roi, planes, size, mode)
    rows, columns = out_size or size
    channels: list[Array] = []
    for plane, (_, pixels), pad in zip(planes, PLANES[mode], pad_value, strict=False):
        results: list[tuple[int, int, Int64Array]] = []
        taps: list[tuple[Int64Array, Int64Array, Int64Array]] = []
        for axis, (low, high, count) in enumerate(((top, bottom, rows), (left, right, columns))):
            wanted = (np.arange(count, dtype=np.int64) + out_offset[axis]) // pixels
            first, last = int(wanted[0]), int(wanted[-1]) + 1
            results.append((first, last, wanted - first))
            bounds = (low // pixels, high // pixels)
            taps.append(_taps(bounds, size[axis] // pixels, (first, last), interpolate_mode))
        outside = None if expansion_mode == "border" else pad & 0xFF
        (top_rows, bottom_rows, wy), (left_columns, right_columns, wx) = taps
        corners = [
            _pixels(plane, some_rows, some_columns, outside)
            for some_rows in (top_rows, bottom_rows)
            for some_columns in (left_columns, right_columns)
        ]
        made = blend(corners, wy[:, None, None], wx[:, None])
        channels.append(made[results[0][2][:, None], results[1][2]])
    pixels_made = np.concatenate(channels, axis=2)[None]
    return (pixels_made.astype(np.int16) - 128).astype(np.int8)


def _taps(
    bounds: tuple[int, int], target: int, wanted: tuple[int, int], interpolate_mode: str
) -> tuple[Int64Array, Int64Array, Int64Array]:
    """Per result the two places in the image that it reads, and the second one's weight."""
    low, high = bounds
    extent = high - low + 1
    position = np.arange(*wanted, dtype=np.int64) * source_step(extent, target)
    position = np.minimum(position, (extent - 1) << FRACTION_BITS)
    if interpolate_mode == "nearest":
        index = low + ((position + (1 << (FRACTION_BITS - 1))) >> FRACTION_BITS)
        return index, index, np.zeros_like(index)
    first, weight = position >> FRACTION_BITS, position & ((1 << FRACTION_BITS) - 1)
    return low + first, low + np.minimum(first + 1, extent - 1), weight


def _pixels(plane: Array, rows: Int64Array, columns: Int64Array, outside: int | None) -> Array:
    """plane[0] at rows x columns; beyond the image `outside`, or where None the nearest pixel."""
    height, width = int(plane.shape[1]), int(plane.shape[2])
    taken = plane[0][np.clip(rows, 0, height - 1)[:, None], np.clip(columns, 0, width - 1)]
    if outside is None:
        return taken
    inside_rows = (rows >= 0) & (rows < height)
    inside = inside_rows[:, None] & (columns >= 0) & (columns < width)
    return np.where(inside[..., None], taken, np.uint8(outside))


def _checked_roi(
    roi: Array, planes: Sequence[Array], size: Sequence[int], mode: str
) -> tuple[int, int, int, int]:
    height, width = (int(extent) for extent in planes[0].shape[1:3])
    image = f"the image of {height}x{width}"
    for plane, (channels, pixels) in zip(planes, PLANES[mode], strict=True):
        if height % pixels or width % pixels:
            raise HbirError(f"{image} must have an even height and width: chroma is half of it")
        expected = (1, height // pixels, width // pixels, channels)
        if plane.shape != expected:
            raise HbirError(
                f"a plane has shape {list(plane.shape)}, expected {list(expected)} for {image}"
            )
    left, top, right, bottom = (int(number) for number in roi.reshape(-1))
    said = f"roi (left {left}, top {top}, right {right}, bottom {bottom})"
    if right < left or bottom < top:
        raise HbirError(f"{said} is empty; right and bottom are the last column and row of it")
    if right < 0 or bottom < 0 or left >= width or top >= height:
        raise HbirError(f"{said} lies outside of {image}")
    if min(left, top) < -MAX_EXTENT or max(right, bottom) >= 2 * MAX_EXTENT:
        raise HbirError(
            f"{said} reaches beyond {image}: at most to {-MAX_EXTENT} and {2 * MAX_EXTENT - 1}"
        )
    spans = (("rows", bottom - top + 1, size[0]), ("columns", right - left + 1, size[1]))
    for what, source, target in spans:
        if source_step(source, target) > MAX_STEP:
            raise HbirError(
                f"{said} has {source} {what}, the result {target}: the resizer shrinks less than"
                f" fourfold, so give a roi of at most {4 * (target - 1)} {what}, or a smaller image"
                " (a level of the pyramid)"
            )
    return left, top, right, bottom

"""Image inputs: camera planes to channels, the resizer, colour spaces and normalisation.

The colour matrices are ITU-R BT.601's, in float64 and rounded once to the result's float32. Full
range has Y, U and V in 0...255, video range Y in 16...235 and U and V in 16...240.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hbir.kernels.roi import FRACTION_BITS, Int64Array, resize_planes
from hbir.kernels.table import kernel
from hbir.kernels.types import Array

SIGNED_OFFSET = 128
"""Image values are unsigned; as si8 they are 128 less."""

_RED, _GREEN, _BLUE = 0.299, 0.587, 0.114

FULL_TO_RGB = np.array(
    [
        [1.0, 0.0, 2 * (1 - _RED)],
        [1.0, -2 * (1 - _BLUE) * _BLUE / _GREEN, -2 * (1 - _RED) * _RED / _GREEN],
        [1.0, 2 * (1 - _BLUE), 0.0],
    ]
)
"""RGB of (Y, U − 128, V − 128), full range: the inverse of BT.601's definition."""

VIDEO_TO_RGB = FULL_TO_RGB * (255.0 / np.array([219.0, 224.0, 224.0]))
"""RGB of (Y − 16, U − 128, V − 128), video range."""

_SWAP = np.eye(3)[::-1]

COLOUR_SPACES: dict[str, tuple[Array, Array, bool]] = {
    "skip": (np.eye(3), np.zeros(3), False),
    "yuvbt601full2rgb": (FULL_TO_RGB, np.array([0.0, 128.0, 128.0]), True),
    "yuvbt601full2bgr": (_SWAP @ FULL_TO_RGB, np.array([0.0, 128.0, 128.0]), True),
    "yuvbt601video2rgb": (VIDEO_TO_RGB, np.array([16.0, 128.0, 128.0]), True),
    "yuvbt601video2bgr": (_SWAP @ VIDEO_TO_RGB, np.array([16.0, 128.0, 128.0]), True),
    "bgr2rgb": (_SWAP, np.zeros(3), False),
    "rgb2bgr": (_SWAP, np.zeros(3), False),
}
"""Conversion → matrix M, offset o, and whether M·(x − o) is limited to 0...255 (a YUV value may lie
outside of RGB's cube, and cameras and decoders clip it)."""


@kernel("hbir.image_convert")
def image_convert(y: Array, *chroma: Array, mode: str) -> Array:
    """ui8 planes as si8 channels: each value less 128, chroma repeated 2x2.

    NV12: y (N, H, W, 1), uv (N, H/2, W/2, 2) → (N, H, W, 3). GRAY: y alone → (N, H, W, 1).
    """
    planes = [y]
    if mode == "NV12":
        planes.append(chroma[0].repeat(2, axis=1).repeat(2, axis=2))
    channels = np.concatenate(planes, axis=3)
    return (channels.astype(np.int16) - SIGNED_OFFSET).astype(np.int8)


@kernel("hbir.roi_resize")
def roi_resize(
    *planes_and_roi: Array,
    size: Sequence[int],
    mode: str,
    interpolate_mode: str,
    expansion_mode: str,
    pad_value: Sequence[int],
) -> Array:
    """si8 (1, H, W, C): the roi, si32 (1, 4) and last, of ui8 planes, resized to `size`, less 128.

    bilinear: the weighted mean of four pixels, exact in float64 (weights have 16 fraction bits),
    rounded to the nearest byte, ties up. Raises HbirError for a roi and planes that don't fit each
    other (`hbir.kernels.roi`).
    """
    *planes, roi = planes_and_roi
    return resize_planes(
        roi,
        planes,
        _blend,
        size=size,
        mode=mode,
        interpolate_mode=interpolate_mode,
        expansion_mode=expansion_mode,
        pad_value=pad_value,
    )


def _blend(corners: Sequence[Array], wy: Int64Array, wx: Int64Array) -> Array:
    down, across = wy / (1 << FRACTION_BITS), wx / (1 << FRACTION_BITS)
    top = corners[0] * (1.0 - across) + corners[1] * across
    bottom = corners[2] * (1.0 - across) + corners[3] * across
    return np.floor(top * (1.0 - down) + bottom * down + 0.5).astype(np.uint8)


@kernel("hbir.image_preprocess")
def image_preprocess(
    x: Array,
    *,
    csc: str,
    divisor: float,
    mean: Sequence[float],
    sd: Sequence[float],
    signed: bool = True,
) -> Array:
    """((csc(x + 128) / divisor) − mean) / sd over the last axis; x + 128 only where x is signed."""
    values = x.astype(np.float64) + (SIGNED_OFFSET if signed else 0)
    if csc != "skip":
        matrix, offset, clipped = COLOUR_SPACES[csc]
        values = (values - offset) @ matrix.T
        if clipped:
            values = np.clip(values, 0.0, 255.0)
    return ((values / divisor - np.asarray(mean)) / np.asarray(sd)).astype(np.float32)

"""Colour conversions. Names say from what to what; images are of `data_format`, values 0...255.

NV12 data is one channel of 3·H/2 rows, as cameras and opencv lay it out: H rows of Y, then H/2
rows of interleaved U and V. The matrices are ITU-R BT.601's: full range by its definition (Y in
0...255), video range with Y in 16...235 and U, V in 16...240.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from typing_extensions import override

from hbir.ptq.transformers.base import (
    LAYOUTS,
    Image,
    Transformer,
    TransformerError,
    as_type,
    channels_last,
    choose,
    in_format,
    library,
    pair,
)

_RED, _GREEN, _BLUE = 0.299, 0.587, 0.114
"""Luma of BT.601 §2.5.1."""

FULL_RANGE = np.array(
    [
        [_RED, _GREEN, _BLUE],
        np.array([-_RED, -_GREEN, 1 - _BLUE]) / (2 * (1 - _BLUE)),
        np.array([1 - _RED, -_GREEN, -_BLUE]) / (2 * (1 - _RED)),
    ]
)
"""RGB to YUV, both 0...255; 128 is added to U and V."""

VIDEO_RANGE = FULL_RANGE * (np.array([219, 224, 224]) / 255)[:, None]
"""RGB 0...255 to Y 16...235 (16 is added) and U, V 16...240 (128 is added)."""

CVT_MODES = ("rgb_calc", "opencv")


def rgb_to_yuv(image: Image, *, video_range: bool = False) -> Image:
    """H,W,RGB to H,W,YUV in float64, not rounded."""
    matrix = VIDEO_RANGE if video_range else FULL_RANGE
    offset = np.array([16.0 if video_range else 0.0, 128.0, 128.0])
    return image.astype(np.float64) @ matrix.T + offset


class _Colour(Transformer):
    """A conversion of three channels."""

    def __init__(self, data_format: str = "CHW") -> None:
        self.data_format = choose("data_format", data_format, LAYOUTS)

    @override
    def transform(self, image: Image) -> Image:
        pixels = channels_last(image, self.data_format)
        if pixels.shape[2] != 3:
            raise TransformerError(
                f"{type(self).__name__}: expected 3 channels in {self.data_format}, got"
                f" {list(image.shape)}"
            )
        return in_format(self.convert(pixels), self.data_format)

    @abstractmethod
    def convert(self, pixels: Image) -> Image:
        """The conversion of H,W,C."""


class RGB2BGRTransformer(_Colour):
    """The channels in the other order; the dtype stays."""

    @override
    def convert(self, pixels: Image) -> Image:
        return np.ascontiguousarray(pixels[:, :, ::-1])


class BGR2RGBTransformer(RGB2BGRTransformer):
    """The channels in the other order; the dtype stays."""


class RGB2GRAYTransformer(_Colour):
    """Luma, one channel, float32."""

    @override
    def convert(self, pixels: Image) -> Image:
        return rgb_to_yuv(pixels)[:, :, :1].astype(np.float32)


class BGR2GRAYTransformer(RGB2GRAYTransformer):
    """Luma, one channel, float32."""

    @override
    def convert(self, pixels: Image) -> Image:
        return super().convert(pixels[:, :, ::-1])


class RGB2GRAY_128Transformer(RGB2GRAYTransformer):
    """Luma less 128, one channel, float32."""

    @override
    def convert(self, pixels: Image) -> Image:
        return super().convert(pixels) - np.float32(128)


class RGB2YUV444Transformer(_Colour):
    """Full range, rounded, float32."""

    @override
    def convert(self, pixels: Image) -> Image:
        return as_type(rgb_to_yuv(pixels), "uint8").astype(np.float32)


class BGR2YUV444Transformer(RGB2YUV444Transformer):
    """Full range, rounded, float32."""

    @override
    def convert(self, pixels: Image) -> Image:
        return super().convert(pixels[:, :, ::-1])


class RGB2YUV444_128Transformer(RGB2YUV444Transformer):
    """Full range, rounded, each value less 128, float32."""

    @override
    def convert(self, pixels: Image) -> Image:
        return super().convert(pixels) - np.float32(128)


class BGR2YUV444_128Transformer(BGR2YUV444Transformer):
    """Full range, rounded, each value less 128, float32."""

    @override
    def convert(self, pixels: Image) -> Image:
        return super().convert(pixels) - np.float32(128)


class RGB2YUVBT601VIDEOTransformer(_Colour):
    """Video range, rounded, float32."""

    @override
    def convert(self, pixels: Image) -> Image:
        return as_type(rgb_to_yuv(pixels, video_range=True), "uint8").astype(np.float32)


class BGR2YUVBT601VIDEOTransformer(RGB2YUVBT601VIDEOTransformer):
    """Video range, rounded, float32."""

    @override
    def convert(self, pixels: Image) -> Image:
        return super().convert(pixels[:, :, ::-1])


class RGB2NV12Transformer(_Colour):
    """To NV12, uint8, one channel of 3·H/2 rows.

    cvt_mode: `rgb_calc` is full range, U and V the mean of 2x2 pixels; `opencv` is opencv's own
    conversion, which is video range and takes one pixel of four.
    """

    def __init__(self, data_format: str = "CHW", cvt_mode: str = "rgb_calc") -> None:
        super().__init__(data_format)
        self.cvt_mode = choose("cvt_mode", cvt_mode, CVT_MODES)

    @override
    def convert(self, pixels: Image) -> Image:
        height, width = pixels.shape[:2]
        if height % 2 or width % 2:
            raise TransformerError(
                f"{type(self).__name__}: NV12 needs an even height and width, got {height}x{width}"
            )
        if self.cvt_mode == "opencv":
            cv2 = library("cv2")
            planar = cv2.cvtColor(as_type(pixels, "uint8"), cv2.COLOR_RGB2YUV_I420)
            chroma = np.asarray(planar)[height:].reshape(2, height // 2, width // 2)
            luma = np.asarray(planar)[:height]
        else:
            yuv = rgb_to_yuv(pixels)
            luma = as_type(yuv[:, :, 0], "uint8")
            blocks = yuv[:, :, 1:].reshape(height // 2, 2, width // 2, 2, 2)
            chroma = as_type(blocks.mean(axis=(1, 3)), "uint8").transpose(2, 0, 1)
        interleaved = np.ascontiguousarray(chroma.transpose(1, 2, 0)).reshape(height // 2, width)
        return np.concatenate([luma, interleaved])[:, :, np.newaxis]


class BGR2NV12Transformer(RGB2NV12Transformer):
    """As `RGB2NV12Transformer`, from BGR."""

    @override
    def convert(self, pixels: Image) -> Image:
        return super().convert(np.ascontiguousarray(pixels[:, :, ::-1]))


class NV12ToYUV444Transformer(Transformer):
    """NV12 of `target_size` (height, width) to YUV444, uint8: U and V are repeated 2x2.

    Takes any shape that holds the 3·H/2·W bytes. yuv444_output_layout: `HWC` or `CHW`.
    """

    def __init__(self, target_size: tuple[int, int], yuv444_output_layout: str = "HWC") -> None:
        self.target_size = pair("target_size", target_size)
        if self.target_size[0] % 2 or self.target_size[1] % 2:
            raise TransformerError(f"target_size {target_size}: NV12 needs even sizes")
        self.layout = choose("yuv444_output_layout", yuv444_output_layout, LAYOUTS)

    @override
    def transform(self, image: Image) -> Image:
        height, width = self.target_size
        if image.size != height * width * 3 // 2:
            raise TransformerError(
                f"NV12ToYUV444Transformer: {image.size} values; {height}x{width} has"
                f" {height * width * 3 // 2}"
            )
        flat = as_type(image, "uint8").reshape(-1)
        luma = flat[: height * width].reshape(height, width, 1)
        chroma = flat[height * width :].reshape(height // 2, width // 2, 2)
        repeated = chroma.repeat(2, axis=0).repeat(2, axis=1)
        return in_format(np.concatenate([luma, repeated], axis=2), self.layout)

"""Steps that change the size of an image H,W,C; interpolation is opencv's, skimage's or PIL's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from typing_extensions import override

from hbir.ptq.transformers.base import (
    DATA_TYPES,
    Image,
    Transformer,
    TransformerError,
    as_type,
    choose,
    from_pillow,
    library,
    numbers,
    pair,
    pillow_image,
    positive,
)


def _opencv_resize(image: Image, height: int, width: int, interpolation: int | None) -> Image:
    cv2 = library("cv2")
    method = cv2.INTER_LINEAR if interpolation is None else interpolation
    resized = np.asarray(
        cv2.resize(image.astype(np.float32), (width, height), interpolation=method)
    )
    return resized if resized.ndim == 3 else resized[:, :, np.newaxis]


def _opencv_interpolation(value: int | None) -> int | None:
    cv2 = library("cv2")
    if value not in (None, cv2.INTER_LINEAR, cv2.INTER_CUBIC):
        raise TransformerError("interpolation: expected nothing (linear) or cv2.INTER_CUBIC")
    return value


class ResizeTransformer(Transformer):
    """To `target_size` (height, width). method: 0...5, skimage's order of interpolation."""

    def __init__(
        self,
        target_size: tuple[int, int],
        mode: str = "skimage",
        method: int = 1,
        data_type: str = "float",
        interpolation: int | None = None,
    ) -> None:
        self.target_size = pair("target_size", target_size)
        self.mode = choose("mode", mode, ("skimage", "opencv"))
        if method not in range(6):
            raise TransformerError(f"method is {method}, expected 0...5")
        self.method = method
        self.data_type = choose("data_type", data_type, DATA_TYPES)
        self.interpolation = interpolation

    @override
    def transform(self, image: Image) -> Image:
        if self.mode == "opencv":
            chosen = _opencv_interpolation(self.interpolation)
            return as_type(_opencv_resize(image, *self.target_size, chosen), self.data_type)
        skimage = library("skimage.transform")
        resized = skimage.resize(
            image.astype(np.float64), self.target_size, order=self.method, preserve_range=True
        )
        return as_type(np.asarray(resized), self.data_type)


class PILResizeTransformer(Transformer):
    """By PIL: the shorter side to `size`, or to (height, width). interpolation: PIL's, bilinear by
    default."""

    def __init__(self, size: int | tuple[int, int], interpolation: Any = None) -> None:
        if isinstance(size, int):
            positive("size", size)
        self.size = size if isinstance(size, int) else pair("size", size)
        self.interpolation = interpolation

    @override
    def transform(self, image: Image) -> Image:
        pillow = library("PIL.Image")
        height, width = image.shape[:2]
        if isinstance(self.size, tuple):
            new_height, new_width = self.size
        elif width < height:
            new_height, new_width = self.size * height // width, self.size
        else:
            new_height, new_width = self.size, self.size * width // height
        method = pillow.Resampling.BILINEAR if self.interpolation is None else self.interpolation
        try:
            resized = pillow_image(image).resize((new_width, new_height), method)
        except ValueError as error:
            raise TransformerError(f"interpolation is {method!r}: {error}") from None
        return from_pillow(resized)


class ShortSideResizeTransformer(Transformer):
    """The shorter side to `short_size`, the proportions kept."""

    def __init__(
        self, short_size: int, data_type: str = "float32", interpolation: int | None = None
    ) -> None:
        positive("short_size", short_size)
        self.short_size = short_size
        self.data_type = choose("data_type", data_type, DATA_TYPES)
        self.interpolation = interpolation

    @override
    def transform(self, image: Image) -> Image:
        height, width = image.shape[:2]
        scale = self.short_size / min(height, width)
        chosen = _opencv_interpolation(self.interpolation)
        resized = _opencv_resize(
            image, max(1, round(height * scale)), max(1, round(width * scale)), chosen
        )
        return as_type(resized, self.data_type)


class ShortLongResizeTransformer(Transformer):
    """The shorter side to `short_size`, unless the longer one would exceed `long_size`.

    include_im: called on a list, the original is given too: [resized, original, ...].
    """

    def __init__(self, short_size: int, long_size: int, include_im: bool = True) -> None:
        positive("short_size, long_size", short_size, long_size)
        self.short_size, self.long_size = short_size, long_size
        self.include_im = include_im

    @override
    def __call__(self, data: Any) -> Any:
        result = super().__call__(data)
        if self.include_im and not isinstance(data, np.ndarray):
            return [result[0], data[0], *data[1:]]
        return result

    @override
    def transform(self, image: Image) -> Image:
        height, width = image.shape[:2]
        scale = self.short_size / min(height, width)
        if scale * max(height, width) > self.long_size:
            scale = self.long_size / max(height, width)
        return _opencv_resize(
            image, max(1, round(height * scale)), max(1, round(width * scale)), None
        )


class PadResizeTransformer(Transformer):
    """Into `target_size` (height, width) with the proportions kept; the rest is `pad_value`.

    pad_position: `boundary` puts the image into the middle, `bottom_right` pads there.
    """

    def __init__(
        self, target_size: tuple[int, int], pad_value: float = 127, pad_position: str = "boundary"
    ) -> None:
        self.target_size = pair("target_size", target_size)
        self.pad_value = float(numbers("pad_value", pad_value))
        self.pad_position = choose("pad_position", pad_position, ("boundary", "bottom_right"))

    @override
    def transform(self, image: Image) -> Image:
        height, width = image.shape[:2]
        target_height, target_width = self.target_size
        scale = min(target_height / height, target_width / width)
        inner_height = min(target_height, max(1, round(height * scale)))
        inner_width = min(target_width, max(1, round(width * scale)))
        resized = _opencv_resize(image, inner_height, inner_width, None)
        padded = np.full((*self.target_size, image.shape[2]), self.pad_value, np.float32)
        middle = self.pad_position == "boundary"
        top = (target_height - inner_height) // 2 if middle else 0
        left = (target_width - inner_width) // 2 if middle else 0
        padded[top : top + inner_height, left : left + inner_width] = resized
        return padded


class PadTransformer(Transformer):
    """The longer side to `target_size`, then zeros below and right up to multiples of
    `size_divisor`."""

    def __init__(self, size_divisor: int = 128, target_size: int = 512) -> None:
        positive("size_divisor, target_size", size_divisor, target_size)
        self.size_divisor, self.target_size = size_divisor, target_size

    @override
    def transform(self, image: Image) -> Image:
        height, width = image.shape[:2]
        scale = self.target_size / max(height, width)
        inner_height, inner_width = max(1, round(height * scale)), max(1, round(width * scale))
        resized = _opencv_resize(image, inner_height, inner_width, None)
        padded = np.zeros(
            (
                math.ceil(inner_height / self.size_divisor) * self.size_divisor,
                math.ceil(inner_width / self.size_divisor) * self.size_divisor,
                image.shape[2],
            ),
            np.float32,
        )
        padded[:inner_height, :inner_width] = resized
        return padded

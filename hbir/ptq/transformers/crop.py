"""Cuts out of an image H,W,C. The middle is rounded down, so odd rests lie below and right."""

from __future__ import annotations

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
    pillow_image,
    positive,
)


def _middle(image: Image, height: int, width: int, who: str) -> Image:
    rows, columns = image.shape[:2]
    if height > rows or width > columns:
        raise TransformerError(
            f"{who}: can't cut {height}x{width} out of {rows}x{columns}; resize before"
        )
    top, left = (rows - height) // 2, (columns - width) // 2
    return image[top : top + height, left : left + width]


class CenterCropTransformer(Transformer):
    """The square of side `crop_size` in the middle."""

    def __init__(self, crop_size: int, data_type: str = "float") -> None:
        positive("crop_size", crop_size)
        self.crop_size = crop_size
        self.data_type = choose("data_type", data_type, DATA_TYPES)

    @override
    def transform(self, image: Image) -> Image:
        cut = _middle(image, self.crop_size, self.crop_size, "CenterCropTransformer")
        return as_type(cut, self.data_type)


class PILCenterCropTransformer(Transformer):
    """The square of side `size` in the middle, as PIL and torchvision round it."""

    def __init__(self, size: int) -> None:
        positive("size", size)
        self.size = size

    @override
    def transform(self, image: Image) -> Image:
        height, width = image.shape[:2]
        if self.size > min(height, width):
            raise TransformerError(
                f"PILCenterCropTransformer: can't cut {self.size} out of {height}x{width}"
            )
        left = round((width - self.size) / 2.0)
        top = round((height - self.size) / 2.0)
        return from_pillow(pillow_image(image).crop((left, top, left + self.size, top + self.size)))


class LongSideCropTransformer(Transformer):
    """Cuts the long side: a wide image to the square of its height, a tall one to its width and
    the width plus half of what it is taller (70 wide, 100 tall: 70 by 85)."""

    @override
    def transform(self, image: Image) -> Image:
        height, width = image.shape[:2]
        if width >= height:
            return _middle(image, height, height, "LongSideCropTransformer").astype(np.float32)
        kept = (height - width) // 2 + width
        return _middle(image, kept, width, "LongSideCropTransformer").astype(np.float32)


class PaddedCenterCropTransformer(Transformer):
    """The middle square of image_size / (image_size + crop_pad) of the shorter side."""

    def __init__(self, image_size: int = 224, crop_pad: int = 32) -> None:
        positive("image_size", image_size)
        self.ratio = float(image_size) / (image_size + crop_pad)

    @override
    def transform(self, image: Image) -> Image:
        size = max(1, int(self.ratio * min(image.shape[:2])))
        return _middle(image, size, size, "PaddedCenterCropTransformer").astype(np.float32)

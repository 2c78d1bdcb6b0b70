"""What all transformers share: how they take data, their layouts, and the libraries they need."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np

from hbir.errors import HbirError

Image = np.ndarray[Any, Any]

LAYOUTS = ("CHW", "HWC")


class TransformerError(HbirError):
    """An image or an argument that a transformer can't take."""


class Transformer(ABC):
    """One step on an image; call it on `[image, ...]`, on one image, or on a batch N,...

    Of a list only the first item is an image; what follows (labels, an original) is passed on, as
    the older toolchain does.
    """

    @abstractmethod
    def transform(self, image: Image) -> Image:
        """The step on one image, H,W,C or as `data_format` says. Raises TransformerError."""

    def __call__(self, data: Image | Sequence[Any]) -> Any:
        """The same kind of thing as `data`, transformed."""
        if isinstance(data, np.ndarray):
            if data.ndim == 4:
                return np.stack([self._step(image) for image in data])
            return self._step(data)
        if not isinstance(data, list | tuple) or not data:
            raise TransformerError(f"{type(self).__name__}: no image to transform")
        return [self._step(np.asarray(data[0])), *data[1:]]

    def _step(self, image: Image) -> Image:
        if image.ndim != 3 or 0 in image.shape:
            raise TransformerError(
                f"{type(self).__name__}: expected an image of three axes, got {list(image.shape)}"
            )
        if image.dtype.kind not in "buif":
            raise TransformerError(
                f"{type(self).__name__}: expected an image of numbers, got {image.dtype}"
            )
        return self.transform(image)


def run_transformers(transformers: Iterable[Transformer], image: Image) -> Image:
    """An image through all steps."""
    data: list[Any] = [image]
    for transformer in transformers:
        data = transformer(data)
    return data[0]


def choose(name: str, value: str, choices: Sequence[str]) -> str:
    """`value`, which must be one of `choices`."""
    if value not in choices:
        raise TransformerError(f"{name} is {value!r}, expected one of {', '.join(choices)}")
    return value


def positive(name: str, *values: Any) -> None:
    """Raises TransformerError when a size isn't a positive integer."""
    for value in values:
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
            raise TransformerError(f"{name} is {value}, expected a positive integer")


def pair(name: str, value: Any) -> tuple[int, int]:
    """(height, width), both positive. Raises TransformerError."""
    if not isinstance(value, tuple | list) or len(cast(Sequence[Any], value)) != 2:
        raise TransformerError(f"{name} is {value}, expected (height, width)")
    height, width = cast(Sequence[Any], value)
    positive(name, height, width)
    return int(height), int(width)


def numbers(name: str, value: Any) -> Image:
    """One number or several as float32. Raises TransformerError."""
    try:
        return np.asarray(value, np.float32)
    except (TypeError, ValueError):
        raise TransformerError(f"{name} is {value!r}, expected a number or several") from None


def library(name: str) -> Any:
    """A library of the extra `images`. Raises TransformerError that says how to get it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise TransformerError(f"{name} is not installed; pip install 'hbir[images]'") from None


def as_type(image: Image, data_type: str) -> Image:
    """The image as `float` (float32), or rounded to `uint8`."""
    if data_type == "uint8":
        return np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return image.astype(np.float32)


PIL_CHANNELS = (1, 3, 4)
"""How many 8-bit channels PIL's images have."""


def pillow_image(image: Image) -> Any:
    """An image H,W,C as PIL has it, rounded to uint8. Raises TransformerError."""
    if image.shape[2] not in PIL_CHANNELS:
        raise TransformerError(
            f"PIL takes images H,W,C of 1, 3 or 4 channels, got {list(image.shape)}"
        )
    pixels = as_type(image, "uint8")
    return library("PIL.Image").fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def from_pillow(image: Any) -> Image:
    """A PIL image as H,W,C, float32."""
    pixels = np.asarray(image, np.float32)
    return pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]


DATA_TYPES = ("float", "float32", "uint8")


def channels_last(image: Image, data_format: str) -> Image:
    """An image of `data_format` as H,W,C."""
    return image if data_format == "HWC" else image.transpose(1, 2, 0)


def in_format(image: Image, data_format: str) -> Image:
    """An image H,W,C as `data_format`."""
    return image if data_format == "HWC" else np.ascontiguousarray(image.transpose(2, 0, 1))

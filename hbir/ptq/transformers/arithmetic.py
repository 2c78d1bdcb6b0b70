"""Steps on pixel values: add, subtract the mean, scale, divide, which give float32; and casts."""

from __future__ import annotations

from typing import Any

import numpy as np
from typing_extensions import override

from hbir.ptq.transformers.base import (
    LAYOUTS,
    Image,
    Transformer,
    TransformerError,
    choose,
    numbers,
)


class AddTransformer(Transformer):
    """Adds `value`, which may be negative, to every pixel."""

    def __init__(self, value: float) -> None:
        self.value = numbers("value", value)

    @override
    def transform(self, image: Image) -> Image:
        return image.astype(np.float32) + self.value


class _PerChannel(Transformer):
    """A step with one number per channel, or one for all."""

    def __init__(self, name: str, given: Any, data_format: str) -> None:
        self.numbers = np.atleast_1d(numbers(name, given))
        self.data_format = choose("data_format", data_format, LAYOUTS)

    def along_channels(self, image: Image) -> Image:
        """The numbers, so that they broadcast against `image`."""
        first = self.data_format == "CHW"
        channels = image.shape[0 if first else 2]
        if self.numbers.ndim != 1 or len(self.numbers) not in (1, channels):
            raise TransformerError(
                f"{type(self).__name__}: {self.numbers.size} numbers for {channels} channels in"
                f" {self.data_format}"
            )
        return self.numbers[:, None, None] if first else self.numbers


class MeanTransformer(_PerChannel):
    """Subtracts `means`, one per channel or one for all."""

    def __init__(self, means: Any, data_format: str = "CHW") -> None:
        super().__init__("means", means, data_format)

    @override
    def transform(self, image: Image) -> Image:
        return image.astype(np.float32) - self.along_channels(image)


class ScaleTransformer(_PerChannel):
    """Multiplies by `scale_value`, one per channel or one for all."""

    def __init__(self, scale_value: Any, data_format: str = "CHW") -> None:
        super().__init__("scale_value", scale_value, data_format)

    @override
    def transform(self, image: Image) -> Image:
        return image.astype(np.float32) * self.along_channels(image)


class NormalizeTransformer(_PerChannel):
    """Divides by `std`, one per channel or one for all."""

    def __init__(self, std: Any, data_format: str = "CHW") -> None:
        super().__init__("std", std, data_format)
        if not self.numbers.all():
            raise TransformerError("std holds 0")

    @override
    def transform(self, image: Image) -> Image:
        return image.astype(np.float32) / self.along_channels(image)


class _ToInteger(Transformer):
    """Rounds, and keeps within the type."""

    dtype: type[np.integer[Any]]

    @override
    def transform(self, image: Image) -> Image:
        limits = np.iinfo(self.dtype)
        return np.clip(np.rint(image), limits.min, limits.max).astype(self.dtype)


class F32ToS8Transformer(_ToInteger):
    """To int8: rounds, and keeps within -128...127."""

    dtype = np.int8


class F32ToU8Transformer(_ToInteger):
    """To uint8: rounds, and keeps within 0...255."""

    dtype = np.uint8

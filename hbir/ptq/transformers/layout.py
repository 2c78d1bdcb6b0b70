"""Steps that move or drop channels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from hbir.ptq.transformers.base import LAYOUTS, Image, Transformer, TransformerError, choose


class HWC2CHWTransformer(Transformer):
    """Channels from last to first."""

    @override
    def transform(self, image: Image) -> Image:
        return np.ascontiguousarray(image.transpose(2, 0, 1))


class CHW2HWCTransformer(Transformer):
    """Channels from first to last."""

    @override
    def transform(self, image: Image) -> Image:
        return np.ascontiguousarray(image.transpose(1, 2, 0))


class TransposeTransformer(Transformer):
    """The three axes in another order, as numpy.transpose has it."""

    def __init__(self, order: Sequence[int]) -> None:
        if sorted(order) != [0, 1, 2]:
            raise TransformerError(f"order is {order}, expected 0, 1 and 2 in some order")
        self.order = tuple(order)

    @override
    def transform(self, image: Image) -> Image:
        return np.ascontiguousarray(image.transpose(self.order))


class ReduceChannelTransformer(Transformer):
    """The first channel alone."""

    def __init__(self, data_format: str = "CHW") -> None:
        self.data_format = choose("data_format", data_format, LAYOUTS)

    @override
    def transform(self, image: Image) -> Image:
        return image[:1] if self.data_format == "CHW" else image[:, :, :1]

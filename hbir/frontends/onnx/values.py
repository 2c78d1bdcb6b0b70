"""What a name of the ONNX graph stands for while its graph is imported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from xdsl.ir import SSAValue

from hbir.frontends.onnx.graph import Node
from hbir.ir.types import Array


@dataclass(frozen=True)
class QuantizationParameters:
    """Scale and zero point of a QuantizeLinear/DequantizeLinear pair, for signed integers.

    scales, zero_points: one entry, or one per channel of `axis`. A zero point of unsigned integers
    has been moved by −2^(bits−1), which leaves the represented values the same.
    """

    bits: int
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int | None

    def bounds(self) -> tuple[list[float], list[float]]:
        """min and max of `qnt.const_fake_quant`, exact in f64.

        A scale has 24 bits and a bound's factor at most 17, so that (max − min) / (2^bits − 1) is
        the scale itself again.
        """
        lowest, highest = -(2 ** (self.bits - 1)), 2 ** (self.bits - 1) - 1
        pairs = list(zip(self.scales, self.zero_points, strict=True))
        return [(lowest - z) * s for s, z in pairs], [(highest - z) * s for s, z in pairs]

    def with_axis(self, axis: int | None) -> QuantizationParameters:
        """The same for a tensor whose axes were moved."""
        return replace(self, axis=axis)


@dataclass(frozen=True)
class QuantizedConstant:
    """A dequantized constant: float values that lie on the grid of `parameters`."""

    array: Array
    parameters: QuantizationParameters


@dataclass(frozen=True, eq=False)
class QuantizedValue:
    """The result of a QuantizeLinear, which becomes a fake-quant where it is dequantized."""

    source: SSAValue
    node: Node
    dtype: np.dtype[Any]
    parameters: QuantizationParameters


Value: TypeAlias = Array | SSAValue | QuantizedConstant | QuantizedValue


def known_array(value: Value | None) -> Array | None:
    """The array of a value known while importing."""
    match value:
        case np.ndarray():
            return value
        case QuantizedConstant():
            return value.array
        case _:
            return None

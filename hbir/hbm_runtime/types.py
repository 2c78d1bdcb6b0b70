"""What the board's runtime says of tensors and models: element types, quantization, scheduling."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from hbir.interface import Argument, Array

MAX_PRIORITY = 255
ANY_CORE = -1
"""In `bpu_cores`: the scheduler chooses."""


class hbDNNDataType(Enum):
    """Element types of tensors, with the numbers that the board's runtime shows."""

    S4, U4, S8, U8, F16, S16, U16, F32, S32, U32, F64, S64, U64, BOOL8, MAX = range(15)


class hbDNNQuantiType(Enum):
    """Whether a tensor's integers stand for numbers."""

    NONE = 0
    SCALE = 1
    """number = (integer − zero_point) · scale"""


@dataclass(frozen=True, eq=False)
class QuantParams:
    """The quantization of a tensor; arrays are empty where there is none."""

    scale: Array
    """float32, one for all or one per channel."""
    zero_point: Array
    """int32, as many."""
    quant_type: hbDNNQuantiType
    axis: int
    """The channels' axis; 0 where one scale is for all."""


@dataclass(frozen=True)
class SchedParam:
    """How a model is scheduled."""

    priority: int = 0
    """0 to 255, higher first."""
    customId: int = 0
    """Among equal priorities lower first: a frame's number, a time."""
    bpu_cores: list[int] = field(default_factory=lambda: [ANY_CORE])
    deviceId: int = 0


_DATA_TYPES = {
    "int8": hbDNNDataType.S8, "uint8": hbDNNDataType.U8, "int16": hbDNNDataType.S16,
    "uint16": hbDNNDataType.U16, "int32": hbDNNDataType.S32, "uint32": hbDNNDataType.U32,
    "int64": hbDNNDataType.S64, "uint64": hbDNNDataType.U64, "float16": hbDNNDataType.F16,
    "float32": hbDNNDataType.F32, "float64": hbDNNDataType.F64, "bool": hbDNNDataType.BOOL8,
}  # fmt: skip
"""By NumPy dtype."""


def data_type(port: Argument) -> hbDNNDataType:
    """The element type of an input or output."""
    return _DATA_TYPES[str(port.type.np_dtype)]


def quantization(port: Argument) -> QuantParams:
    """The quantization of an input or output."""
    info = port.type.quant_info
    zeros = info.zero_points or (0,) * len(info.scales)
    return QuantParams(
        np.array(info.scales, np.float32),
        np.array(zeros, np.int32),
        hbDNNQuantiType.SCALE if info.scales else hbDNNQuantiType.NONE,
        info.channel_axis or 0,
    )

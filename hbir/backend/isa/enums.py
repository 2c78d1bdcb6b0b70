"""Engines, memories, element types and instruction flags: their names and numbers.

The numbers are part of the .hbm format: append, never renumber.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Any

import numpy as np
import numpy.typing as npt

from hbir.errors import HbirError


class Engine(IntEnum):
    """The engines of a core; each has one in-order queue."""

    LOAD = 0
    """Moves DDR to on-chip memory."""
    STORE = 1
    """Moves on-chip memory to DDR."""
    TAE = 2
    """Tensor engine: convolution and matrix product."""
    VAE = 3
    """Vector engine: element-wise integer operations and table look-ups."""
    AAE = 4
    """Auxiliary engine: pooling and resize."""
    TRANS = 5
    """Layout engine: transposes and copies."""
    VPU = 6
    """Float vector engine: quantize, dequantize."""
    SPU = 7
    """Scalar engine."""


class Space(IntEnum):
    """Memories. A descriptor's `port` tells apart the tensors of INPUT and OUTPUT."""

    L1 = 0
    """On-chip memory of the issuing core; contents don't survive a function call."""
    L2 = 1
    """On-chip memory shared by the cores; contents don't survive a function call."""
    CONSTANT = 2
    """DDR, read-only: the file's constants section."""
    WORKSPACE = 3
    """DDR, intermediates of one graph; survives function calls and CPU segments of one run."""
    INPUT = 4
    """DDR, read-only: graph input number `port`."""
    OUTPUT = 5
    """DDR: graph output number `port`."""


ON_CHIP = (Space.L1, Space.L2)

SPACE_NAMES = {
    Space.L1: "l1",
    Space.L2: "l2",
    Space.CONSTANT: "constant",
    Space.WORKSPACE: "workspace",
    Space.INPUT: "input",
    Space.OUTPUT: "output",
}


class DType(IntEnum):
    """Element types, by their names in the IR."""

    SI8 = 0
    SI16 = 1
    SI32 = 2
    SI64 = 3
    UI8 = 4
    UI16 = 5
    UI32 = 6
    UI64 = 7
    F16 = 8
    F32 = 9
    F64 = 10
    BOOL = 11

    @property
    def numpy(self) -> np.dtype[Any]:
        """The NumPy dtype of the same bytes."""
        return NUMPY_DTYPES[self]

    @property
    def itemsize(self) -> int:
        """Bytes per element."""
        return NUMPY_DTYPES[self].itemsize

    @staticmethod
    def of(dtype: npt.DTypeLike) -> DType:
        """The element type of a NumPy dtype. Raises HbirError for one the machine doesn't have."""
        found = _OF_NUMPY.get(np.dtype(dtype).newbyteorder("="))
        if found is None:
            raise HbirError(f"the machine has no element type for NumPy dtype {np.dtype(dtype)}")
        return found


NUMPY_DTYPES: dict[DType, np.dtype[Any]] = {
    DType.SI8: np.dtype("int8"),
    DType.SI16: np.dtype("<i2"),
    DType.SI32: np.dtype("<i4"),
    DType.SI64: np.dtype("<i8"),
    DType.UI8: np.dtype("uint8"),
    DType.UI16: np.dtype("<u2"),
    DType.UI32: np.dtype("<u4"),
    DType.UI64: np.dtype("<u8"),
    DType.F16: np.dtype("<f2"),
    DType.F32: np.dtype("<f4"),
    DType.F64: np.dtype("<f8"),
    DType.BOOL: np.dtype("bool"),
}
_OF_NUMPY = {dtype: code for code, dtype in NUMPY_DTYPES.items()}


class Flag(IntFlag):
    """Flags of an instruction; only those that its row of the table allows may be set."""

    NONE = 0
    ACCUMULATE_FIRST = 1
    """Start from zero; without it, start from what the accumulator operand holds."""
    ACCUMULATE_LAST = 2
    """Finish and write the output; without it, write the accumulator operand only."""

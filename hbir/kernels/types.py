"""Array and parameter types that the kernels share.

Kernels are pure functions of NumPy arrays and keyword parameters. They know no IR, no passes and
no backend, and never write to their operands (constants are read-only views of the weight store).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
"""An array of any dtype."""

FloatArray: TypeAlias = npt.NDArray[np.float32]
"""Values of the float level: every kernel there takes and gives float32."""

IntArray: TypeAlias = npt.NDArray[np.signedinteger[Any]]
"""si8, si16, si32 or si64 values of the quantized level."""

Ints: TypeAlias = tuple[int, ...]
"""An integer list parameter, e.g. `stride`."""

Floats: TypeAlias = tuple[float, ...]
"""A float list parameter, e.g. `initial_offset`."""

Params: TypeAlias = Mapping[str, Any]
"""Keyword parameters of a kernel: an op's properties by snake_case name."""

Kernel: TypeAlias = Callable[..., Array | tuple[Array, ...]]
"""`kernel(*operands, **params)`: the result, or a tuple of results for ops that have several."""

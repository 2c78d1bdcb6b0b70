"""The tensors of a run by the names and in the layouts of the user's model, at any level.

That is what makes levels comparable: integers are dequantized by their origin's scale, channel-last
arrays turned back, whatever a pass has done in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from xdsl.ir import Operation

from hbir.ir.origin import origin_of_op
from hbir.ir.types import Array
from hbir.module import Module

FloatArray = npt.NDArray[np.float32]
Sink = Callable[[str, FloatArray], None]


def run_source_tensors(module: Module, inputs: Mapping[str, Any], sink: Sink) -> dict[str, Array]:
    """Run the module's first function; `sink` gets (name, float32 array in the source's layout) of
    every named tensor that has one scale. Returns the outputs.

    A name may come several times, quantized and not; the last is what later ops read.
    """

    def listen(name: str, array: Array, op: Operation | None) -> None:
        value = source_tensor(array, op)
        if value is not None:
            sink(name, value)

    return module.functions[0].feed(inputs, listen)


def source_tensor(array: Array, op: Operation | None) -> FloatArray | None:
    """An op's result as float32 in its source tensor's layout; None for integers without a scale
    for all (accumulators, indices)."""
    origin = origin_of_op(op) if op is not None else None
    if array.dtype.kind == "f" or array.dtype.kind == "b" or origin is None:
        value = array.astype(np.float32)
    elif isinstance(origin.scale, float):
        value = (array.astype(np.float32) - origin.zero_point) * np.float32(origin.scale)
    else:
        return None
    if origin is None or len(origin.perm) != value.ndim:
        return value
    return value.transpose(np.argsort(origin.perm))

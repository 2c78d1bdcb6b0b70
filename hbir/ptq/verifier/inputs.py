"""One set of inputs for two models, whose inputs may have other types, or be quantized."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hbir.errors import HbirError
from hbir.hb_runtime import HBRuntime
from hbir.interface import Array, QuantInfo
from hbir.kernels.quantize import along_axis

SEED = 0


def random_inputs(runtime: HBRuntime) -> dict[str, Array]:
    """Arrays that are the same each time: normal numbers for floats, all values of the integers of
    8 bits, 0 and 1 for others. An open extent is 1."""
    rng = np.random.default_rng(SEED)
    arrays: dict[str, Array] = {}
    ports = zip(runtime.input_names, runtime.input_shapes, runtime.input_types, strict=True)
    for name, dims, dtype in ports:
        shape = tuple(1 if extent is None else extent for extent in dims)
        if dtype.kind == "f":
            arrays[name] = rng.standard_normal(shape).astype(dtype)
        elif dtype.itemsize == 1 and dtype.kind in "iu":
            limits = np.iinfo(dtype)
            arrays[name] = rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
        else:
            arrays[name] = rng.integers(0, 2, shape).astype(dtype)
    return arrays


def inputs_like(
    first: HBRuntime, arrays: Mapping[str, Array], second: HBRuntime
) -> dict[str, Array]:
    """The first model's inputs as the second takes them: by name, or where none agrees by number,
    quantized or dequantized where only one of them is integers with a scale.

    Raises HbirError where the two don't take the same.
    """
    names = dict(zip(second.input_names, second.input_names, strict=True))
    if not set(first.input_names) & set(second.input_names):
        names = dict(zip(second.input_names, first.input_names, strict=False))
    if first.input_num != second.input_num or set(names.values()) != set(first.input_names):
        raise HbirError(
            f"{first.model_path} and {second.model_path} don't take the same inputs:"
            f" {', '.join(first.input_names)} and {', '.join(second.input_names)}; compare stages"
            " from the same side of the nodes inserted for images"
        )
    quants = dict(zip(first.input_names, first.input_quants, strict=True))
    return {
        name: _as_taken(arrays[names[name]], quants[names[name]], second.input_types[i], quant)
        for i, (name, quant) in enumerate(zip(second.input_names, second.input_quants, strict=True))
    }


def _as_taken(
    array: Array, quant: QuantInfo, wanted: np.dtype[np.generic], wanted_quant: QuantInfo
) -> Array:
    if array.dtype.kind in "iu" and wanted.kind == "f" and quant.scales:
        return dequantized(array, quant).astype(wanted)
    if array.dtype.kind == "f" and wanted.kind in "iu" and wanted_quant.scales:
        scale, zero = _parameters(array, wanted_quant)
        limits = np.iinfo(wanted.name)
        return np.clip(np.rint(array / scale) + zero, limits.min, limits.max).astype(wanted)
    return array


def dequantized(array: Array, quant: QuantInfo) -> Array:
    """Integers with a scale as the float32 numbers that they stand for; others as they are."""
    if not quant.scales or array.dtype.kind not in "iu":
        return array
    scale, zero = _parameters(array, quant)
    return ((array.astype(np.float64) - zero) * scale).astype(np.float32)


def _parameters(array: Array, quant: QuantInfo) -> tuple[Array, Array]:
    axis = quant.channel_axis
    scale = along_axis(np.asarray(quant.scales, np.float32), array.ndim, axis)
    zeros = np.asarray(quant.zero_points or (0,))
    return scale, along_axis(zeros, array.ndim, axis)

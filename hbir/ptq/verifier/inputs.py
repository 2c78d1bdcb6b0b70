"""One set of inputs for two models, whose inputs may have other types, or be quantized."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hbir.errors import HbirError
from hbir.hb_runtime import HBRuntime
from hbir.interface import Array, QuantInfo
from hbir.kernels.quantize import along_axis
from hbir.module import Function
from hbir.ptq.verifier.images import float_inputs, insertions_between

SEED = 0


def paired_inputs(
    one: HBRuntime, other: HBRuntime, given: Mapping[str, Any] | None
) -> tuple[dict[str, Array], dict[str, Array]]:
    """The inputs of both models, from the first's or random ones.

    Raises HbirError where those given don't fit, or the second's can't be made of them.
    """
    if (insertions := insertions_between(one, other)) is not None:
        feed = one.bound(random_inputs(one) if given is None else given)
        return feed, other.bound(float_inputs(insertions, _as_read(one, feed, insertions)))
    if (insertions := insertions_between(other, one)) is not None:
        if given is not None:
            raise HbirError(
                f"{other.model_path} is fed {', '.join(other.input_names)}, which can't be made of"
                f" the inputs of {one.model_path}; name it first and give its inputs"
            )
        feed = other.bound(random_inputs(other))
        return one.bound(float_inputs(insertions, _as_read(other, feed, insertions))), feed
    feed = one.bound(random_inputs(one) if given is None else given)
    return feed, other.bound(inputs_like(one, feed, other))


def _as_read(board: HBRuntime, feed: Mapping[str, Array], inserted: Function) -> dict[str, Array]:
    """A board's inputs as they were before Quantize was removed at some of them."""
    ports = {port.name: port.type for port in inserted.flatten_inputs}
    quants = dict(zip(board.input_names, board.input_quants, strict=True))
    return {
        name: _as_taken(array, quants[name], ports[name].np_dtype, QuantInfo())
        for name, array in feed.items()
    }


IMAGE_PART = 64
"""Of the largest image, what random images of open extents have: 128x128 of 8192x8192."""

ROI_SIZES = (8, 28)
"""Rows and columns of a random roi, which a resizer's result of at least 8x8 takes."""


def random_inputs(runtime: HBRuntime) -> dict[str, Array]:
    """Arrays that are the same each time: normal numbers for floats and integers that stand for
    some, all values of other integers of 8 bits, 0 and 1 for the rest. An open extent is 1, or a
    part of its maximum; beside images of open extents four integers are a roi in them."""
    maxima = runtime.input_maxima
    images = [
        most for most, dims in zip(maxima or (), runtime.input_shapes, strict=False) if None in dims
    ]
    rng = np.random.default_rng(SEED)
    arrays: dict[str, Array] = {}
    ports = zip(runtime.input_names, runtime.input_shapes, runtime.input_types, strict=True)
    for number, (name, dims, dtype) in enumerate(ports):
        most = [1] * len(dims) if maxima is None else maxima[number]
        shape = tuple(
            max(1, extent // IMAGE_PART) if given is None else given
            for given, extent in zip(dims, most, strict=True)
        )
        if images and dtype == np.int32 and shape == (1, 4):
            arrays[name] = _random_roi(rng, images[0])
        elif dtype.kind == "f":
            arrays[name] = rng.standard_normal(shape).astype(dtype)
        elif runtime.input_quants[number].scales:
            values = rng.standard_normal(shape).astype(np.float32)
            arrays[name] = _as_taken(values, QuantInfo(), dtype, runtime.input_quants[number])
        elif dtype.itemsize == 1 and dtype.kind in "iu":
            limits = np.iinfo(dtype)
            arrays[name] = rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
        else:
            arrays[name] = rng.integers(0, 2, shape).astype(dtype)
    return arrays


def _random_roi(rng: np.random.Generator, image: tuple[int, ...]) -> Array:
    height, width = (extent // IMAGE_PART for extent in image[1:3])
    rows, columns = rng.integers(*ROI_SIZES, 2, endpoint=True)
    left, top = rng.integers(0, (width - columns, height - rows))
    return np.array([[left, top, left + columns - 1, top + rows - 1]], np.int32)


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

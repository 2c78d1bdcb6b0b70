"""Tensor descriptors: where an instruction's operand lies, and how.

A descriptor says memory, base, element type, shape and strides; on-chip tensors are N,H,W,C with
the channels padded to the march's lanes, DDR tensors dense or with padded rows. `ring_rows` makes
axis 1 (H) a line buffer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hbir.backend.isa.enums import DType, Space
from hbir.backend.isa.table import MAX_RANK
from hbir.errors import HbirError

RING_AXIS = 1
"""The axis that wraps in a line buffer: H of N,H,W,C."""


class TensorDescriptor(NamedTuple):
    """One operand. Sizes and offsets in bytes; hashable, compared by value.

    port: which graph input or output, in Space.INPUT and Space.OUTPUT; otherwise 0.
    ring_rows: 0 for none; otherwise row h of the operand lies in slot
    (ring_start + h) % ring_rows, slot 0 at `base`; shape[1] <= ring_rows.
    padding_bytes: how many bytes after each innermost contiguous run a write of this operand
    leaves undefined (the channels that pad it to the lanes); the simulator poisons them.
    """

    space: Space
    base: int
    dtype: DType
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    port: int = 0
    ring_rows: int = 0
    ring_start: int = 0
    padding_bytes: int = 0


def dense_strides(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """Byte strides of a dense row-major tensor."""
    strides: list[int] = []
    step = itemsize
    for extent in reversed(shape):
        strides.append(step)
        step *= extent
    return tuple(reversed(strides))


def dense(
    space: Space, base: int, dtype: DType, shape: Sequence[int], port: int = 0
) -> TensorDescriptor:
    """A dense row-major operand."""
    strides = dense_strides(shape, dtype.itemsize)
    return TensorDescriptor(space, base, dtype, tuple(shape), strides, port)


def channel_padded(
    space: Space, base: int, dtype: DType, shape: Sequence[int], channel_bytes: int
) -> TensorDescriptor:
    """An on-chip operand whose last axis is padded to a multiple of `channel_bytes`."""
    strides = padded_strides(shape, dtype.itemsize, channel_bytes)
    padding = -(shape[-1] * dtype.itemsize) % channel_bytes
    return TensorDescriptor(space, base, dtype, tuple(shape), strides, padding_bytes=padding)


def padded_strides(shape: Sequence[int], itemsize: int, channel_bytes: int) -> tuple[int, ...]:
    """Byte strides of a tensor whose last axis is padded to a multiple of `channel_bytes`."""
    if not shape:
        return ()
    padded = -(-shape[-1] * itemsize // channel_bytes) * channel_bytes
    return (*(s * padded for s in dense_strides(shape[:-1], 1)), itemsize)


def row_padded_strides(shape: Sequence[int], itemsize: int, row_bytes: int) -> tuple[int, ...]:
    """Byte strides of a tensor in DDR whose rows start at multiples of `row_bytes`.

    A row is what lies behind the second axis of (N, H, W, C), behind the last but one of others:
    the stride that cameras and resizers ask of images.
    """
    row = 2 if len(shape) == 4 else len(shape) - 1
    if row < 1:
        return dense_strides(shape, itemsize)
    inner = dense_strides(shape[row:], itemsize)
    padded = -(-shape[row] * inner[0] // row_bytes) * row_bytes
    return (*(s * padded for s in dense_strides(shape[:row], 1)), *inner)


DESCRIPTOR_DTYPE = np.dtype(
    [
        ("space", "u1"),
        ("dtype", "u1"),
        ("rank", "u1"),
        ("reserved", "u1"),
        ("port", "<u4"),
        ("base", "<i8"),
        ("shape", "<i4", (MAX_RANK,)),
        ("strides", "<i8", (MAX_RANK,)),
        ("ring_rows", "<i4"),
        ("ring_start", "<i4"),
        ("padding_bytes", "<i4"),
        ("reserved2", "<u4"),
    ]
)
"""The record of a descriptor; unused axes have shape 0 and stride 0."""


def encode_descriptors(descriptors: Sequence[TensorDescriptor]) -> np.ndarray[Any, Any]:
    """The record array of descriptors. Raises HbirError for one that no record can hold."""
    zeros = (0,) * MAX_RANK
    rows: list[tuple[Any, ...]] = []
    for d in descriptors:
        rank = len(d.shape)
        if rank > MAX_RANK or rank != len(d.strides):
            raise HbirError(
                f"operand of shape {list(d.shape)} and strides {list(d.strides)}: expected as many"
                f" strides as axes, at most {MAX_RANK}"
            )
        rest = zeros[rank:]
        shape, strides = d.shape + rest, d.strides + rest
        rows.append(
            (
                *(d.space, d.dtype, rank, 0, d.port, d.base, shape, strides),
                *(d.ring_rows, d.ring_start, d.padding_bytes, 0),
            )
        )
    try:
        return np.array(rows, DESCRIPTOR_DTYPE)
    except (OverflowError, ValueError) as error:
        raise HbirError(f"an operand's descriptor doesn't fit its record: {error}") from error


def decode_descriptors(records: np.ndarray[Any, Any]) -> list[TensorDescriptor]:
    """The descriptors of a record array. Raises HbirError naming the first malformed one."""
    _check_codes(records)
    spaces, dtypes = list(Space), list(DType)
    return [
        TensorDescriptor(
            spaces[space], base, dtypes[dtype],
            tuple(shape[:rank]), tuple(strides[:rank]), port, ring_rows, ring_start, padding,
        )
        for space, dtype, rank, _, port, base, shape, strides, ring_rows, ring_start, padding, _2
        in zip(*(records[name].tolist() for name in DESCRIPTOR_DTYPE.names or ()), strict=True)
    ]  # fmt: skip


def _check_codes(records: np.ndarray[Any, Any]) -> None:
    shape, strides, rank = records["shape"], records["strides"], records["rank"]
    used = np.arange(MAX_RANK) < rank[:, None]
    ring = records["ring_rows"]
    rows = shape[:, RING_AXIS]
    # Axes of extent 0 would make empty operands, which no instruction has a use for.
    checks = {
        "space": records["space"] >= len(Space),
        "element type": records["dtype"] >= len(DType),
        "rank": rank > MAX_RANK,
        "shape": np.any(np.where(used, shape < 1, shape != 0), axis=1),
        "strides": np.any(np.where(used, strides < 0, strides != 0), axis=1),
        "strides (elements overlap)": _overlapping(records),
        "base": records["base"] < 0,
        "padding": (records["padding_bytes"] < 0),
        "reserved field": (records["reserved"] != 0) | (records["reserved2"] != 0),
        "ring": (ring < 0)
        | ((ring == 0) & (records["ring_start"] != 0))
        | (
            (ring > 0)
            & (
                (rank <= RING_AXIS)
                | (rows > ring)
                | (records["ring_start"] < 0)
                | (records["ring_start"] >= ring)
            )
        ),
    }
    for what, bad in checks.items():
        if bad.any():
            raise HbirError(f"descriptor {int(np.argmax(bad))}: malformed {what}")


def _overlapping(records: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Which operands have elements that share bytes; it also bounds them by their memory's size."""
    itemsizes = np.array([d.itemsize for d in DType], np.float64)
    dtype = np.minimum(records["dtype"], len(DType) - 1)
    # In float64, exact up to 2^53 and free of overflow beyond; larger sizes fit no memory anyway.
    extents = records["shape"].astype(np.float64)
    steps = np.where(extents > 1, records["strides"].astype(np.float64), np.inf)
    axes = np.argsort(steps, axis=1)
    steps = np.take_along_axis(steps, axes, 1)
    steps = np.where(np.isfinite(steps), steps, 0)
    several = np.take_along_axis(extents, axes, 1) > 1
    reach = (np.maximum(np.take_along_axis(extents, axes, 1), 1) - 1) * steps
    inner = np.cumsum(reach, axis=1) - reach + itemsizes[dtype][:, None]
    return np.any(several & (steps < inner), axis=1)

"""Small questions about values and their uses that many passes ask."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

import numpy as np
from xdsl.ir import Operation, OpResult, SSAValue

from hbir.ir.origin import origin_of_op, set_origin
from hbir.ir.types import Array, shape_of

OpT = TypeVar("OpT", bound=Operation)


def users(value: SSAValue) -> list[Operation]:
    """The ops that read `value`, one entry per use, in the order of the ops' uses."""
    return [use.operation for use in value.uses]


def derive_origin(new: Operation, op: Operation, suffix: str) -> None:
    """Give an op made on the way to `op`'s result an origin: `op`'s tensor name plus `suffix`.

    It has `op`'s order of axes where it has as many.
    """
    origin = origin_of_op(op)
    if origin is not None:
        perm = origin.perm if len(shape_of(new.results[0])) == len(origin.perm) else ()
        set_origin(new, replace(origin, tensor=f"{origin.tensor}/{suffix}", perm=perm))


def defined_by(value: SSAValue, kind: type[OpT]) -> OpT | None:
    """The op that defines `value`, if it is a `kind`."""
    if isinstance(value, OpResult) and isinstance(value.op, kind):
        return value.op
    return None


def is_constant(value: SSAValue) -> bool:
    """Whether an `hbir.constant` defines `value`."""
    return isinstance(value, OpResult) and value.op.name == "hbir.constant"


def splat(array: Array | None) -> float | None:
    """The number that all elements of `array` are; None when they differ or there are none."""
    if array is None or array.size == 0:
        return None
    first = array.flat[0]
    return float(first) if np.all(array == first) else None


def per_channel(array: Array, shape: tuple[int, ...]) -> Array | None:
    """The (C,) values of an array that broadcasts against `shape` along the last axis alone.

    None when it varies along another axis or would enlarge `shape`.
    """
    if array.ndim > len(shape):
        return None
    if any(extent != 1 for extent in array.shape[:-1]):
        return None
    channels = shape[-1] if shape else 1
    last = array.shape[-1] if array.ndim else 1
    if last not in (1, channels):
        return None
    return np.broadcast_to(array.reshape(-1), (channels,))

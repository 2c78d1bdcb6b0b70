"""Ops that only move elements; any dtype. Results may be views of the operands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hbir.kernels.table import kernel
from hbir.kernels.types import Array


@kernel("hbir.concat")
def concat(*xs: Array, dim: int) -> Array:
    """The operands one after the other along the axis `dim`."""
    return np.concatenate(xs, axis=dim)


@kernel("hbir.slice")
def slice_(
    x: Array, *, begin: Sequence[int], end: Sequence[int], step: Sequence[int] | None = None
) -> Array:
    """The elements begin, begin + step, … before end of each axis."""
    steps = step if step is not None else (1,) * x.ndim
    return x[tuple(slice(*bounds) for bounds in zip(begin, end, steps, strict=True))]


@kernel("hbir.reshape")
def reshape(x: Array, *, shape: Sequence[int]) -> Array:
    """The same elements, in row-major order, in another shape."""
    return x.reshape(tuple(shape))


@kernel("hbir.transpose")
def transpose(x: Array, *, dims: Sequence[int]) -> Array:
    """Axis i of the result is axis dims[i] of x."""
    return np.asarray(x.transpose(tuple(dims)), order="C")


@kernel("hbir.pad")
def pad(x: Array, *, begin: Sequence[int], end: Sequence[int], pad_value: float = 0.0) -> Array:
    """begin[i] elements of pad_value before and end[i] after each axis i."""
    shape = [b + size + e for b, size, e in zip(begin, x.shape, end, strict=True)]
    result = np.full(shape, pad_value, x.dtype)
    result[tuple(slice(b, b + size) for b, size in zip(begin, x.shape, strict=True))] = x
    return result


@kernel("hbir.tile")
def tile(x: Array, *, multiplies: Sequence[int]) -> Array:
    """x repeated multiplies[i] times along each axis i."""
    return np.tile(x, tuple(multiplies))

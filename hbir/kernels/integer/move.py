"""Ops that move integers and change none: concat, slice, copy, reshape, transpose, pad, tile."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hbir.kernels.table import kernel
from hbir.kernels.types import Array


@kernel("bpu.concat")
def concat(*xs: Array, dim: int) -> Array:
    """The operands one after the other along `dim`; all share scale and zero point."""
    return np.concatenate(xs, axis=dim)


@kernel("bpu.slice")
def slice_(x: Array, *, begin: Sequence[int], end: Sequence[int], step: Sequence[int]) -> Array:
    """x[begin:end:step] on every axis; 0 <= begin < end <= extent, step >= 1."""
    where = tuple(slice(b, e, s) for b, e, s in zip(begin, end, step, strict=True))
    return np.ascontiguousarray(x[where])


@kernel("bpu.copy")
def copy(x: Array) -> Array:
    """x, in another memory."""
    return x.copy()


@kernel("bpu.reshape")
def reshape(x: Array, *, shape: Sequence[int]) -> Array:
    """x's elements in the same order under another shape."""
    return x.reshape(tuple(shape))


@kernel("bpu.transpose")
def transpose(x: Array, *, dims: Sequence[int]) -> Array:
    """Axis i of the result is axis dims[i] of x."""
    return np.ascontiguousarray(x.transpose(tuple(dims)))


@kernel("bpu.pad")
def pad(x: Array, *, begin: Sequence[int], end: Sequence[int], pad_value: int = 0) -> Array:
    """x with `begin` / `end` elements of `pad_value` before / after it on every axis."""
    return np.pad(x, list(zip(begin, end, strict=True)), constant_values=pad_value)


@kernel("bpu.tile")
def tile(x: Array, *, multiplies: Sequence[int]) -> Array:
    """x repeated multiplies[i] times along each axis i."""
    return np.tile(x, tuple(multiplies))

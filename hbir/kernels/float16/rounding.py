"""float16 as the machine holds it, and the float32 steps that its ops are made of.

A float16 tensor holds finite numbers and one zero: what is larger than 65504 is 65504, nan becomes
the least number, and -0 becomes 0. So every number has one bit pattern, and no maximum or
comparison depends on how a CPU treats the others.

Between exact operands and the one rounding at the end, ops compute in float32 by steps that IEEE
754 rounds correctly (add, subtract, multiply, divide, square root), each a NumPy call of its own,
in an order that depends on nothing but the length of an axis. A NumPy built for another CPU
therefore gives the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from hbir.kernels.types import Array

FLOAT16_MAX = 65504.0
"""The largest float16."""

Float32Array = npt.NDArray[np.float32]

_NEGATIVE_ZERO = 0x8000

EXP_LEAST = -60.0
"""Exponents below count as this one: e^-60 is 2^-86, which no sum of float16 results shows."""

_LOG2_E = np.float32(1.44269504)
_LN2_HIGH = np.float32(0.693359375)
_LN2_LOW = np.float32(-2.12194440e-4)
_EXP_POLYNOMIAL = (
    np.float32(1.9875691500e-4),
    np.float32(1.3981999507e-3),
    np.float32(8.3334519073e-3),
    np.float32(4.1665795894e-2),
    np.float32(1.6666665459e-1),
    np.float32(5.0000001201e-1),
)
"""Published: the minimax polynomial of S. L. Moshier's Cephes library, single precision, for
(e^r - 1 - r) / r^2 over |r| <= ln 2 / 2, from the highest power down."""


def to_float16(value: Array) -> Array:
    """value of any float dtype, rounded to nearest, ties to even, saturated; nan becomes -65504."""
    with np.errstate(invalid="ignore", under="ignore"):
        limited = np.fmin(np.fmax(value, -FLOAT16_MAX), FLOAT16_MAX)
        result = np.asarray(limited).astype(np.float16, order="C")
    bits = result.reshape(-1).view(np.uint16)
    bits[bits == _NEGATIVE_ZERO] = 0
    return result


def tree_sum(x: Array, axes: Sequence[int], *, keep_dims: bool = False) -> Float32Array:
    """The float32 sum over `axes` by a fixed tree.

    The elements, in row-major order over the axes and followed by zeros up to a power of two, are
    halved again and again: element i takes element i + half. Zeros change nothing, so the tree
    depends on the number of elements alone.
    """
    axes = tuple(sorted(axis % x.ndim for axis in axes))
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    count = prod(x.shape[axis] for axis in axes)
    # The summed axis first: a halving then adds two runs of memory.
    moved = x.transpose([*axes, *kept]).reshape(count, *(x.shape[axis] for axis in kept))
    sums = _folded(moved.astype(np.float32))
    if not keep_dims:
        return sums
    return sums.reshape([1 if axis in axes else n for axis, n in enumerate(x.shape)])


def _folded(terms: Float32Array) -> Float32Array:
    """The sum over the first axis of an array that may be overwritten."""
    count = terms.shape[0]
    if count == 0:
        return np.zeros(terms.shape[1:], np.float32)
    while count > 1:
        half = 1 << ((count - 1).bit_length() - 1)
        terms[: count - half] += terms[half:count]
        count = half
    return terms[0]


def exponential(x: Float32Array) -> Float32Array:
    """e^x of float32 x <= 0, limited to x >= -60, within 2^-22 of it relatively.

    x = n ln 2 + r, with ln 2 in two parts; e^r by a polynomial; times 2^n, which is exact.
    """
    x = np.maximum(x, np.float32(EXP_LEAST))
    whole = np.rint(x * _LOG2_E)
    rest: npt.NDArray[Any] = x - whole * _LN2_HIGH
    rest = rest - whole * _LN2_LOW
    value = np.full_like(rest, _EXP_POLYNOMIAL[0])
    for coefficient in _EXP_POLYNOMIAL[1:]:
        value *= rest
        value += coefficient
    value *= rest * rest
    value += rest
    value += np.float32(1)
    power = (whole.astype(np.int32) + 127) << 23
    return value * power.view(np.float32)

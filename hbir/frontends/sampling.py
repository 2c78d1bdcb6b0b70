"""Where a resize samples: step · i + offset, as rational numbers, for each coordinate convention.

    half_pixel            step = 1/scale, offset = 0.5/scale − 0.5
    pytorch_half_pixel    the same; position 0 where the result has one element
    asymmetric            step = 1/scale, offset = 0
    align_corners         step = (in − 1)/(out − 1), offset = 0

Positions are computed exactly here and rounded to f64 once.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

Position = Callable[[int, int, Fraction], tuple[Fraction, Fraction]]
"""(extent before, extent after, scale) → (step, offset)."""

_HALF = Fraction(1, 2)

NUDGE = 2.0**-20
"""Keeps a nearest position that lies between two elements, but has no exact f64, from falling to
the wrong side. Far above the rounding error of step · i, far below 1/(2·out), the least distance
of any other position from such a point."""


def half_pixel(_before: int, _after: int, scale: Fraction) -> tuple[Fraction, Fraction]:
    """Elements are squares that have their positions in the middle."""
    return 1 / scale, _HALF / scale - _HALF


def pytorch_half_pixel(before: int, after: int, scale: Fraction) -> tuple[Fraction, Fraction]:
    """half_pixel, but position 0 where the result has one element."""
    return half_pixel(before, after, scale) if after > 1 else (Fraction(0), Fraction(0))


def asymmetric(_before: int, _after: int, scale: Fraction) -> tuple[Fraction, Fraction]:
    """Element 0 of the result is sampled at 0."""
    return 1 / scale, Fraction(0)


def align_corners(before: int, after: int, _scale: Fraction) -> tuple[Fraction, Fraction]:
    """The first and the last elements fall on each other."""
    return (Fraction(before - 1, after - 1) if after > 1 else Fraction(0)), Fraction(0)


COORDINATE_MODES: dict[str, Position] = {
    "half_pixel": half_pixel,
    "pytorch_half_pixel": pytorch_half_pixel,
    "asymmetric": asymmetric,
    "align_corners": align_corners,
}


def rounded_position(
    step: Fraction, offset: Fraction, mode: str, rounding: str
) -> tuple[float, float]:
    """step and offset in f64; see NUDGE. mode, rounding: those of `hbir.resize2d`."""
    exact = Fraction(float(step)) == step and Fraction(float(offset)) == offset
    if mode != "nearest" or exact:
        return float(step), float(offset)
    up = rounding in ("floor", "round_prefer_ceil")
    return float(step), float(offset) + (NUDGE if up else -NUDGE)

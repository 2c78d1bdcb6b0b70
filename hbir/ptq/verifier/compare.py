"""How close two tensors are, in numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hbir.interface import Array


@dataclass(frozen=True)
class Difference:
    """A tensor of two models. `shape` is None where theirs differ, and nothing else is known."""

    name: str
    shape: tuple[int, ...] | None
    cosine: float = 0.0
    max_abs_diff: float = 0.0
    max_rel_diff: float = 0.0
    mean_abs_diff: float = 0.0
    mismatched: int = 0
    total: int = 0

    @property
    def equal(self) -> bool:
        """Whether all elements agree within the digits asked for."""
        return self.shape is not None and self.mismatched == 0

    @property
    def percentage(self) -> float:
        """Elements that don't agree, of a hundred."""
        return 100.0 * self.mismatched / self.total if self.total else 0.0


def difference(name: str, first: Array, second: Array, digits: int) -> Difference:
    """Compare two arrays in float64; elements agree within 10^−digits, nan with nan.

    The relative difference is to the second array's magnitude, where that isn't 0. Two tensors of
    zeros have cosine 1.
    """
    if first.shape != second.shape:
        return Difference(name, None)
    one, other = first.astype(np.float64).ravel(), second.astype(np.float64).ravel()
    with np.errstate(invalid="ignore"):
        distance = np.abs(one - other)
    distance[(one == other) | (np.isnan(one) & np.isnan(other))] = 0.0
    distance[np.isnan(distance)] = np.inf
    magnitude = np.abs(other)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where((magnitude > 0) & (distance > 0), distance / magnitude, 0.0)
    return Difference(
        name,
        first.shape,
        cosine(one, other),
        float(distance.max(initial=0.0)),
        float(np.nan_to_num(relative, nan=np.inf).max(initial=0.0)),
        float(distance.mean()) if distance.size else 0.0,
        int(np.count_nonzero(distance > 10.0**-digits)),
        distance.size,
    )


def cosine(one: Array, other: Array) -> float:
    """The cosine of the angle between two vectors; 1 where both are 0, 0 where one is, or where
    they aren't finite."""
    norms = float(np.linalg.norm(one)), float(np.linalg.norm(other))
    if norms == (0.0, 0.0):
        return 1.0
    if 0.0 in norms or not np.isfinite(norms).all():
        return 0.0
    return float(np.clip(np.dot(one / norms[0], other / norms[1]), -1.0, 1.0))

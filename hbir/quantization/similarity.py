"""How close tensors are to what they should be: the metrics of the toolchain, and `Similarity`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from hbir.ir.types import Array


def cosine_similarity(wanted: Array, found: Array) -> float:
    """The cosine of the angle between two tensors; 1 where both are 0."""
    x, y = _flat(wanted), _flat(found)
    return _cosine(float(x @ y), float(x @ x), float(y @ y))


def mean_squared_error(wanted: Array, found: Array) -> float:
    """mse: the mean of (x − y)²."""
    return float(np.mean((_flat(wanted) - _flat(found)) ** 2))


def mean_absolute_error(wanted: Array, found: Array) -> float:
    """mae: the mean of |x − y|."""
    return float(np.mean(np.abs(_flat(wanted) - _flat(found))))


def mean_relative_error(wanted: Array, found: Array) -> float:
    """mre: the mean of |x − y| / |x|, over the elements whose x isn't 0."""
    x, y = _flat(wanted), _flat(found)
    some = x != 0
    return float(np.mean(np.abs(x - y)[some] / np.abs(x)[some])) if some.any() else 0.0


def signal_to_noise(wanted: Array, found: Array) -> float:
    """sqnr: 10·log10(Σx² / Σ(x − y)²) in dB; infinite without noise."""
    x, y = _flat(wanted), _flat(found)
    noise, signal = float(((x - y) ** 2).sum()), float((x**2).sum())
    if noise == 0:
        return float("inf")
    return float(10 * np.log10(signal / noise)) if signal > 0 else float("-inf")


def chebyshev_distance(wanted: Array, found: Array) -> float:
    """chebyshev: the largest |x − y|."""
    return float(np.abs(_flat(wanted) - _flat(found)).max(initial=0.0))


METRICS: dict[str, Callable[[Array, Array], float]] = {
    "cosine-similarity": cosine_similarity,
    "mse": mean_squared_error,
    "mae": mean_absolute_error,
    "mre": mean_relative_error,
    "sqnr": signal_to_noise,
    "chebyshev": chebyshev_distance,
}


@dataclass
class Similarity:
    """Cosines between outputs wanted and found, over any number of runs.

    Of outputs that aren't float (an argmax), the share of equal elements.
    """

    sums: dict[int, list[float]] = field(default_factory=dict[int, list[float]])

    def add(self, wanted: Sequence[Array], found: Sequence[Array]) -> None:
        """Take account of one run."""
        for index, (x, y) in enumerate(zip(wanted, found, strict=True)):
            if x.dtype.kind == "f":
                a, b = _flat(x), _flat(y)
                products = (a @ b, a @ a, b @ b)
            else:
                products = (np.count_nonzero(x == y), x.size, x.size)
            sums = self.sums.setdefault(index, [0.0, 0.0, 0.0])
            for at, product in enumerate(products):
                sums[at] += float(product)

    def cosines(self) -> Mapping[int, float]:
        """Of each output."""
        return {index: _cosine(*sums) for index, sums in self.sums.items()}

    def least(self) -> float:
        """The least cosine of an output; 1 where both are 0."""
        return min(self.cosines().values(), default=1.0)


def _cosine(product: float, x: float, y: float) -> float:
    return product / float(np.sqrt(x * y)) if x * y > 0 else float(x == y)


def _flat(array: Array) -> Array:
    return array.astype(np.float64).ravel()

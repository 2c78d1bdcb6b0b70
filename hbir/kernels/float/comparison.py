"""Comparisons, logic, and choosing by a condition.

Comparisons give truth values: `bool`, or in float32 the numbers 0 and 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from hbir.kernels.comparisons import COMPARISONS
from hbir.kernels.table import kernel
from hbir.kernels.types import Array, FloatArray

BoolArray = npt.NDArray[np.bool_]

_LOGIC: dict[str, Callable[[BoolArray, BoolArray], BoolArray]] = {
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
}


def _register_comparison(name: str, function: Callable[..., BoolArray]) -> None:
    def compare(lhs: FloatArray, rhs: FloatArray, *, dtype: npt.DTypeLike = np.bool_) -> Array:
        return function(lhs, rhs).astype(dtype)

    compare.__name__ = name
    compare.__doc__ = f"{name} of float32 tensors that broadcast, as `dtype`."
    kernel(f"hbir.{name}")(compare)


for _name, _comparison in COMPARISONS.items():
    _register_comparison(_name, _comparison)
for _name, _logic in _LOGIC.items():
    kernel(f"hbir.{_name}")(_logic)


@kernel("hbir.logical_not")
def logical_not(x: BoolArray) -> BoolArray:
    """Whether x is false."""
    return np.logical_not(x)


@kernel("hbir.where")
def where(condition: Array, lhs: Array, rhs: Array) -> Array:
    """lhs where the condition holds (is not 0), rhs elsewhere; all three broadcast."""
    truth: Any = condition if condition.dtype == np.bool_ else condition != 0
    return np.where(truth, lhs, rhs)

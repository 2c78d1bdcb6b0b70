"""Elementary functions, element by element: arithmetic, roots, logarithms, trigonometry.

Each takes and gives float32 of any shape. Outside a function's domain the result is nan, at its
poles infinite, as in IEEE 754.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hbir.kernels import functions
from hbir.kernels.table import kernel
from hbir.kernels.types import Array, FloatArray


def _register(name: str, function: Callable[[Array], Array]) -> None:
    def compute(x: FloatArray) -> Array:
        with np.errstate(all="ignore"):
            return function(x)

    compute.__name__ = name
    compute.__doc__ = f"{name} of each element."
    kernel(f"hbir.{name}")(compute)


for _name, _function in functions.NUMPY_FUNCTIONS.items():
    _register(_name, _function)


@kernel("hbir.round")
def round_(x: FloatArray, *, decimals: int = 0) -> FloatArray:
    """The nearest multiple of 10^-decimals, halves to the even one."""
    return functions.evaluate("round", x, decimals=decimals)


@kernel("hbir.rsqrt")
def rsqrt(x: FloatArray) -> FloatArray:
    """1 / √x; inf at 0."""
    return functions.evaluate("rsqrt", x)


@kernel("hbir.erf")
def erf(x: FloatArray) -> FloatArray:
    """The error function 2/√π · ∫₀ˣ exp(−t²) dt."""
    return functions.evaluate("erf", x)

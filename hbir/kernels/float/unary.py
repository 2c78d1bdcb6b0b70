"""Elementary functions, element by element: arithmetic, roots, logarithms, trigonometry.

Each takes and gives float32 of any shape. Outside a function's domain the result is nan, at its
poles infinite, as in IEEE 754.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hbir.kernels import functions
from hbir.kernels.table import kernel
from hbir.kernels.types import FloatArray

_NUMPY: dict[str, Callable[[FloatArray], FloatArray]] = {
    "abs": np.abs,
    "neg": np.negative,
    "sign": np.sign,
    "floor": np.floor,
    "ceil": np.ceil,
    "sqrt": np.sqrt,
    "log": np.log,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
}
"""Functions that are one NumPy call."""


def _register(name: str, function: Callable[[FloatArray], FloatArray]) -> None:
    def compute(x: FloatArray) -> FloatArray:
        with np.errstate(all="ignore"):
            return function(x)

    compute.__name__ = name
    compute.__doc__ = f"{name} of each element."
    kernel(f"hbir.{name}")(compute)


for _name, _function in _NUMPY.items():
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

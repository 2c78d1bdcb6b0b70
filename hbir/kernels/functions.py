"""Float64 functions of one element, from which the tables of `bpu.lut` are made.

They are the same functions as the float level's kernels, evaluated in float64 so that a table's
entries are the correctly rounded ones; `lut_tables.lut_table` does the rounding. Those that are
no single NumPy call are the float level's kernels too, rounded to float32.

A table has an entry for every integer of its input, also for those beyond the function's domain
that a calibrated range reaches (a logarithm's input of -3): there it continues with the value at
the domain's nearest end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from hbir.kernels.error_function import erf
from hbir.kernels.parameters import ParameterError
from hbir.kernels.types import Array


def table_function(name: str, **params: Any) -> Callable[[Array], Array]:
    """The float64 function of an element-wise op, by the op's name without its dialect.

    `params` are the op's properties (min, max, slop, alpha, beta). Beyond its domain it has the
    value of the domain's nearest end. Raises ParameterError for ops that aren't functions of one
    element.
    """
    if name not in _FUNCTIONS:
        raise ParameterError(f"{name} has no table; there are {', '.join(sorted(_FUNCTIONS))}")
    function = _FUNCTIONS[name]
    low, high = _DOMAINS.get(name, (-math.inf, math.inf))
    return lambda x: function(np.clip(x, low, high), **params)


def evaluate(name: str, x: Array, **params: Any) -> Array:
    """The function `name` of float32 `x`, computed in float64 and rounded to float32.

    Beyond its domain it is nan, as in IEEE 754.
    """
    with np.errstate(all="ignore"):
        return _FUNCTIONS[name](x.astype(np.float64), **params).astype(np.float32)


def power(base: Array | float, exponent: Array | float) -> Array:
    """base to the power exponent, where one of them is a number; float64.

    A base below 0 counts as 0 where the exponent isn't whole.
    """
    whole = np.asarray(exponent) == np.rint(exponent)
    return np.power(np.where(whole, base, np.maximum(base, 0.0)), exponent)


def function_names() -> list[str]:
    """The names of all functions of one element, sorted."""
    return sorted(_FUNCTIONS)


def _relu(x: Array) -> Array:
    return np.maximum(x, 0.0)


def _clip(x: Array, *, min: float = -math.inf, max: float = math.inf) -> Array:
    return np.clip(x, min, max)


def _leaky_relu(x: Array, *, slop: float) -> Array:
    return np.where(x >= 0, x, slop * x)


def _sigmoid(x: Array) -> Array:
    # Both branches take exp of a number <= 0, so neither overflows.
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


def _tanh(x: Array) -> Array:
    return np.tanh(x)


def _hard_sigmoid(x: Array, *, alpha: float, beta: float) -> Array:
    return np.clip(alpha * x + beta, 0, 1)


def _hard_swish(x: Array) -> Array:
    return x * np.clip(x / 6 + 0.5, 0, 1)


def _swish(x: Array) -> Array:
    # At -inf the product would be nan.
    return np.maximum(x, -1e4) * _sigmoid(x)


def _softplus(x: Array, *, beta: float = 1.0, threshold: float = 20.0) -> Array:
    scaled = beta * x
    return np.where(scaled > threshold, x, np.logaddexp(0.0, scaled) / beta)


def _mish(x: Array) -> Array:
    return np.maximum(x, -1e4) * np.tanh(_softplus(x, threshold=math.inf))


def _gelu(x: Array, *, approximate: str = "none") -> Array:
    if approximate == "tanh":
        inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
        gate = 1 + np.tanh(inner)
    else:
        gate = 1 + erf(x / math.sqrt(2))
    return 0.5 * np.maximum(x, -1e4) * gate


def _elu(x: Array, *, alpha: float) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _softsign(x: Array) -> Array:
    return np.where(np.isinf(x), np.sign(x), x / (1 + np.abs(x)))


def _thresholded_relu(x: Array, *, alpha: float) -> Array:
    return np.where(x > alpha, x, 0.0)


def _shrink(x: Array, *, lambd: float, bias: float) -> Array:
    return np.where(x > lambd, x - bias, np.where(x < -lambd, x + bias, 0.0))


def _round(x: Array, *, decimals: int = 0) -> Array:
    return np.rint(x * 10.0**decimals) / 10.0**decimals


def _rsqrt(x: Array) -> Array:
    return 1 / np.sqrt(x)


def _exp(x: Array) -> Array:
    return np.exp(x)


def _reciprocal(x: Array) -> Array:
    return np.divide(1.0, x)


NUMPY_FUNCTIONS: dict[str, Callable[[Array], Array]] = {
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
"""Those that are one NumPy call, which the float level's kernels make in float32."""

_FUNCTIONS: dict[str, Callable[..., Array]] = {
    **NUMPY_FUNCTIONS,
    "relu": _relu,
    "clip": _clip,
    "leaky_relu": _leaky_relu,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "hard_sigmoid": _hard_sigmoid,
    "hard_swish": _hard_swish,
    "swish": _swish,
    "exp": _exp,
    "reciprocal": _reciprocal,
    "softplus": _softplus,
    "mish": _mish,
    "gelu": _gelu,
    "elu": _elu,
    "softsign": _softsign,
    "thresholded_relu": _thresholded_relu,
    "shrink": _shrink,
    "round": _round,
    "rsqrt": _rsqrt,
    "erf": erf,
}

_DOMAINS: dict[str, tuple[float, float]] = {
    "sqrt": (0.0, math.inf),
    "rsqrt": (0.0, math.inf),
    "log": (0.0, math.inf),
    "asin": (-1.0, 1.0),
    "acos": (-1.0, 1.0),
    "acosh": (1.0, math.inf),
    "atanh": (-1.0, 1.0),
}
"""Where a function is a number, both ends included (it may be infinite there)."""

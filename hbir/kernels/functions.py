"""Float64 functions of one element, from which the 256-entry tables of `bpu.lut` are made.

They are the same functions as the float level's kernels, evaluated in float64 so that a table's
entries are the correctly rounded ones; `parameters.lut_table` does the rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from hbir.kernels.parameters import ParameterError
from hbir.kernels.types import Array


def table_function(name: str, **params: float) -> Callable[[Array], Array]:
    """The float64 function of an element-wise op, by the op's name without its dialect.

    `params` are the op's properties (min, max, slop, alpha, beta). Raises ParameterError for ops
    that aren't functions of one element.
    """
    if name not in _FUNCTIONS:
        raise ParameterError(f"{name} has no table; there are {', '.join(sorted(_FUNCTIONS))}")
    function = _FUNCTIONS[name]
    return lambda x: function(x, **params)


def has_table_function(name: str) -> bool:
    """Whether the op (named without its dialect) is a function of one element."""
    return name in _FUNCTIONS


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
    return x * _sigmoid(x)


def _exp(x: Array) -> Array:
    return np.exp(x)


def _reciprocal(x: Array) -> Array:
    return np.divide(1.0, x)


_FUNCTIONS: dict[str, Callable[..., Array]] = {
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
}

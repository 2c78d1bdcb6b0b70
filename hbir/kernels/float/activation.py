"""Activation functions, element by element.

Each takes and gives float32 of any shape. Where a function overflows in the middle of its formula,
the formula used is the one whose limit is right.
"""

from __future__ import annotations

import numpy as np

from hbir.kernels import functions
from hbir.kernels.table import kernel
from hbir.kernels.types import FloatArray


@kernel("hbir.relu")
def relu(x: FloatArray) -> FloatArray:
    """max(x, 0)."""
    return np.maximum(x, np.float32(0.0))


@kernel("hbir.clip")
def clip(x: FloatArray, *, min: float, max: float) -> FloatArray:
    """min(max(x, min), max)."""
    return np.clip(x, np.float32(min), np.float32(max))


@kernel("hbir.leaky_relu")
def leaky_relu(x: FloatArray, *, slop: float = 0.01) -> FloatArray:
    """x where x ≥ 0, slop · x elsewhere."""
    return np.where(x >= 0, x, x * np.float32(slop))


@kernel("hbir.prelu")
def prelu(x: FloatArray, slope: FloatArray) -> FloatArray:
    """x where x ≥ 0, slope · x elsewhere; slope broadcasts to x."""
    return np.where(x >= 0, x, x * slope)


@kernel("hbir.sigmoid")
def sigmoid(x: FloatArray) -> FloatArray:
    """1 / (1 + exp(−x)); exp(−x) = inf gives the limit 0."""
    with np.errstate(over="ignore"):
        result = np.exp(np.negative(x))
    result += np.float32(1.0)
    return np.divide(np.float32(1.0), result)


@kernel("hbir.tanh")
def tanh(x: FloatArray) -> FloatArray:
    """The hyperbolic tangent."""
    return np.tanh(x)


@kernel("hbir.hard_sigmoid")
def hard_sigmoid(x: FloatArray, *, alpha: float = 0.2, beta: float = 0.5) -> FloatArray:
    """min(max(alpha · x + beta, 0), 1)."""
    line = x * np.float32(alpha)
    line += np.float32(beta)
    return np.clip(line, np.float32(0.0), np.float32(1.0))


@kernel("hbir.hard_swish")
def hard_swish(x: FloatArray) -> FloatArray:
    """x · min(max(x / 6 + 1/2, 0), 1)."""
    return x * hard_sigmoid(x, alpha=1.0 / 6.0, beta=0.5)


@kernel("hbir.swish")
def swish(x: FloatArray) -> FloatArray:
    """x · sigmoid(x)."""
    return x * sigmoid(x)


@kernel("hbir.exp")
def exp(x: FloatArray) -> FloatArray:
    """e to the power x; inf where that exceeds float32."""
    with np.errstate(over="ignore"):
        return np.exp(x)


@kernel("hbir.reciprocal")
def reciprocal(x: FloatArray) -> FloatArray:
    """1 / x; ±inf at ±0."""
    with np.errstate(divide="ignore"):
        return np.divide(np.float32(1.0), x)


@kernel("hbir.gelu")
def gelu(x: FloatArray, *, approximate: str = "none") -> FloatArray:
    """x/2 · (1 + erf(x/√2)); "tanh": x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³)))."""
    return functions.evaluate("gelu", x, approximate=approximate)


@kernel("hbir.softplus")
def softplus(x: FloatArray, *, beta: float = 1.0, threshold: float = 20.0) -> FloatArray:
    """log(1 + exp(beta · x)) / beta; x itself where beta · x > threshold."""
    return functions.evaluate("softplus", x, beta=beta, threshold=threshold)


@kernel("hbir.mish")
def mish(x: FloatArray) -> FloatArray:
    """x · tanh(log(1 + exp(x)))."""
    return functions.evaluate("mish", x)


@kernel("hbir.elu")
def elu(x: FloatArray, *, alpha: float = 1.0) -> FloatArray:
    """x where x > 0, alpha · (exp(x) − 1) elsewhere."""
    return functions.evaluate("elu", x, alpha=alpha)


@kernel("hbir.softsign")
def softsign(x: FloatArray) -> FloatArray:
    """x / (1 + |x|)."""
    return functions.evaluate("softsign", x)


@kernel("hbir.thresholded_relu")
def thresholded_relu(x: FloatArray, *, alpha: float = 1.0) -> FloatArray:
    """x where x > alpha, 0 elsewhere."""
    return functions.evaluate("thresholded_relu", x, alpha=alpha)


@kernel("hbir.shrink")
def shrink(x: FloatArray, *, lambd: float = 0.5, bias: float = 0.0) -> FloatArray:
    """x − bias where x > lambd, x + bias where x < −lambd, 0 elsewhere."""
    return functions.evaluate("shrink", x, lambd=lambd, bias=bias)

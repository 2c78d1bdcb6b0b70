"""Element-wise ops of two tensors, broadcasting by NumPy's rules."""

from __future__ import annotations

import numpy as np

from hbir.kernels.table import kernel
from hbir.kernels.types import FloatArray


@kernel("hbir.add")
def add(lhs: FloatArray, rhs: FloatArray) -> FloatArray:
    """lhs + rhs."""
    return np.add(lhs, rhs)


@kernel("hbir.sub")
def sub(lhs: FloatArray, rhs: FloatArray) -> FloatArray:
    """lhs − rhs."""
    return np.subtract(lhs, rhs)


@kernel("hbir.mul")
def mul(lhs: FloatArray, rhs: FloatArray) -> FloatArray:
    """lhs · rhs."""
    return np.multiply(lhs, rhs)


@kernel("hbir.div")
def div(lhs: FloatArray, rhs: FloatArray) -> FloatArray:
    """lhs / rhs; ±inf or nan where rhs is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.divide(lhs, rhs)


@kernel("hbir.max")
def maximum(lhs: FloatArray, rhs: FloatArray) -> FloatArray:
    """The greater of the two; nan if either is."""
    return np.maximum(lhs, rhs)


@kernel("hbir.min")
def minimum(lhs: FloatArray, rhs: FloatArray) -> FloatArray:
    """The lesser of the two; nan if either is."""
    return np.minimum(lhs, rhs)


@kernel("hbir.pow")
def power(lhs: FloatArray, rhs: FloatArray) -> FloatArray:
    """lhs to the power rhs; nan for a negative lhs where rhs isn't whole."""
    with np.errstate(all="ignore"):
        return np.power(lhs, rhs)


@kernel("hbir.mod")
def modulo(lhs: FloatArray, rhs: FloatArray, *, same_sign_as_dividend: bool = True) -> FloatArray:
    """The remainder of lhs / rhs; nan where rhs is 0.

    Of the quotient rounded towards 0, so that it has lhs's sign; otherwise of the quotient rounded
    down, so that it has rhs's.
    """
    with np.errstate(all="ignore"):
        return np.fmod(lhs, rhs) if same_sign_as_dividend else np.mod(lhs, rhs)

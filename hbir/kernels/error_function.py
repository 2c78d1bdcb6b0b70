"""The error function in float64, which NumPy doesn't have.

W. J. Cody's rational Chebyshev approximations ("Rational Chebyshev approximations for the error
function", Math. Comp. 23, 1969; published): one for |x| below 0.46875, one up to 4, one beyond,
each within a few units of float64's last place.
"""

from __future__ import annotations

import math

import numpy as np

from hbir.kernels.types import Array

_NEAR, _MIDDLE = 0.46875, 4.0
_SATURATED = 6.0
"""1 − erf(6) is below 2.2e-17, less than half a unit of 1.0."""

_NEAR_P = (
    1.85777706184603153e-1,
    3.16112374387056560e0,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
_NEAR_Q = (
    1.0,
    2.36012909523441209e1,
    2.44024637934444173e2,
    1.28261652607737228e3,
    2.84423683343917062e3,
)
_MIDDLE_P = (
    2.15311535474403846e-8,
    5.64188496988670089e-1,
    8.88314979438837594e0,
    6.61191906371416295e1,
    2.98635138197400131e2,
    8.81952221241769090e2,
    1.71204761263407058e3,
    2.05107837782607147e3,
    1.23033935479799725e3,
)
_MIDDLE_Q = (
    1.0,
    1.57449261107098347e1,
    1.17693950891312499e2,
    5.37181101862009858e2,
    1.62138957456669019e3,
    3.29079923573345963e3,
    4.36261909014324716e3,
    3.43936767414372164e3,
    1.23033935480374942e3,
)
_FAR_P = (
    1.63153871373020978e-2,
    3.05326634961232344e-1,
    3.60344899949804439e-1,
    1.25781726111229246e-1,
    1.60837851487422766e-2,
    6.58749161529837803e-4,
)
_FAR_Q = (
    1.0,
    2.56852019228982242e0,
    1.87295284992346725e0,
    5.27905102951428412e-1,
    6.05183413124413191e-2,
    2.33520497626869185e-3,
)
"""Coefficients from the highest power down."""


def erf(x: Array) -> Array:
    """erf(x) = 2/√π · ∫₀ˣ exp(−t²) dt of float64 x of any shape; nan stays nan."""
    x = np.asarray(x, np.float64)
    magnitude = np.minimum(np.abs(x), _SATURATED)
    result = np.empty_like(magnitude)
    near, far = magnitude <= _NEAR, magnitude > _MIDDLE
    middle = ~(near | far)
    result[near] = _near(magnitude[near])
    result[middle] = 1 - _middle(magnitude[middle])
    result[far] = 1 - _far(magnitude[far])
    return np.copysign(result, x)


def _near(y: Array) -> Array:
    square = y * y
    return y * np.polyval(_NEAR_P, square) / np.polyval(_NEAR_Q, square)


def _middle(y: Array) -> Array:
    """1 − erf(y)."""
    return np.exp(-y * y) * np.polyval(_MIDDLE_P, y) / np.polyval(_MIDDLE_Q, y)


def _far(y: Array) -> Array:
    """1 − erf(y)."""
    inverse = 1 / (y * y)
    series = inverse * np.polyval(_FAR_P, inverse) / np.polyval(_FAR_Q, inverse)
    return np.exp(-y * y) * (1 / math.sqrt(math.pi) - series) / y

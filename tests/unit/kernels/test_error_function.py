"""The error function against the math module's."""

import math

import numpy as np

from hbir.kernels.error_function import erf


def test_it_is_exact_to_a_few_units_of_the_last_place() -> None:
    # Densely around the borders of the three approximations.
    borders = [np.linspace(c - 1e-3, c + 1e-3, 101) for c in (0.46875, 4.0, 6.0)]
    x = np.concatenate([np.linspace(-8, 8, 4001), *borders, [1e-300, -1e-12]])
    exact = np.array([math.erf(value) for value in x])
    np.testing.assert_allclose(erf(x), exact, rtol=1e-15, atol=0)


def test_its_ends() -> None:
    got = erf(np.array([np.inf, -np.inf, np.nan, 0.0, -0.0]))
    np.testing.assert_array_equal(got, [1, -1, np.nan, 0, 0])
    assert np.signbit(got[4])

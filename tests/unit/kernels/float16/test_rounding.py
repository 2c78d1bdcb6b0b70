"""float16 as the machine holds it, its sums and exponentials, against float64 and exact sums."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.kernels.float16.rounding import EXP_LEAST, exponential, to_float16, tree_sum

ALL = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
FINITE = ALL[np.isfinite(ALL)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_that_are_float16_stay_and_zero_has_one_sign(dtype: type[np.floating[Any]]) -> None:
    found = to_float16(FINITE.astype(dtype))
    np.testing.assert_array_equal(found, FINITE)
    assert 0x8000 not in found.view(np.uint16)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_midpoints_go_to_the_even_neighbour(dtype: type[np.floating[Any]]) -> None:
    positive = np.sort(FINITE[FINITE >= 0])[1:].astype(np.float64)  # without -0
    low, high = positive[:-1], positive[1:]
    found = to_float16(((low + high) / 2).astype(dtype)).view(np.uint16)
    assert not np.any(found & 1)
    just_above = np.nextafter((low + high) / 2, np.inf, dtype=np.float64)
    np.testing.assert_array_equal(to_float16(just_above), high)


def test_what_no_float16_is_becomes_the_nearest_end() -> None:
    given_values = np.array([1e9, 65519, np.inf, -np.inf, -7e4, np.nan, -1e-9, -0.0])
    wanted = [65504, 65504, 65504, -65504, -65504, -65504, 0, 0]
    for dtype in (np.float32, np.float64):
        found = to_float16(given_values.astype(dtype))
        np.testing.assert_array_equal(found, wanted)
        assert not np.any(np.signbit(found[-2:]))


def test_views_of_any_layout_are_rounded() -> None:
    x = -1e-9 * np.ones((3, 4, 5), np.float32)
    assert not np.any(np.signbit(to_float16(x.transpose(2, 0, 1))))
    assert to_float16(np.float32(-1e-9) * np.ones(())).shape == ()


def drawn(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Finite float16 of all magnitudes."""
    return random.choice(FINITE, shape) + np.float16(0)


@given(
    st.integers(0, 10_000),
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.data(),
)
def test_a_tree_is_within_its_bound_of_the_exact_sum(
    seed: int, shape: list[int], data: st.DataObject
) -> None:
    random = np.random.default_rng(seed)
    axes = data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))
    x = drawn(random, tuple(shape))
    found = tree_sum(x, sorted(axes), keep_dims=True)
    wide = x.astype(np.float64)
    exact = wide.sum(axis=tuple(axes), keepdims=True)  # float64 holds sums of so few exactly enough
    magnitude = np.abs(wide).sum(axis=tuple(axes), keepdims=True)
    count = math.prod(shape[axis] for axis in axes)
    bound = math.ceil(math.log2(count)) * 2.0**-24 * magnitude * (1 + 2.0**-20)
    assert np.all(np.abs(found - exact) <= bound)
    np.testing.assert_array_equal(tree_sum(x, sorted(axes)).ravel(), found.ravel())


@given(st.integers(0, 10_000), st.integers(1, 40))
def test_the_tree_halves_what_a_power_of_two_of_terms_is(seed: int, count: int) -> None:
    """An oracle that knows nothing of NumPy's sums: element i takes element i + half."""
    terms = list(drawn(np.random.default_rng(seed), (count,)).astype(np.float32))
    found = tree_sum(np.array(terms, np.float16), [0])
    size = 1 << (count - 1).bit_length()
    terms += [np.float32(0)] * (size - count)
    while size > 1:
        size //= 2
        terms = [
            np.float32(float(Fraction(float(terms[i])) + Fraction(float(terms[i + size]))))
            for i in range(size)
        ]
    assert found == terms[0]


def test_a_row_sums_alike_wherever_it_stands() -> None:
    x = drawn(np.random.default_rng(3), (37, 1000))
    whole = tree_sum(x, [1])
    for rows in (slice(0, 1), slice(5, 12), slice(36, 37)):
        np.testing.assert_array_equal(tree_sum(x[rows], [1]), whole[rows])
        np.testing.assert_array_equal(tree_sum(np.asfortranarray(x[rows]).T, [0]), whole[rows])


def test_exponentials_are_within_their_bound() -> None:
    x = np.concatenate([np.linspace(EXP_LEAST, 0, 400_001), -np.logspace(-12, 1, 100_001)])
    x = x.astype(np.float32)
    exact = np.exp(x.astype(np.float64))
    assert np.max(np.abs(exponential(x) / exact - 1)) < 2.0**-22
    assert exponential(np.zeros(1, np.float32))[0] == 1
    ends = exponential(np.array([-1e5, EXP_LEAST], np.float32))
    assert ends[0] == ends[1]

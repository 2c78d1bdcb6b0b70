"""Products whose result is float16: the exact number, rounded once."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.kernels.float16.rounding import to_float16
from hbir.kernels.integer.conv import conv2d, conv2d_accumulate
from hbir.kernels.integer.matmul import matmul, matmul_accumulate

Array = np.ndarray[Any, Any]


def rounded(numbers: list[Fraction], shape: tuple[int, ...]) -> Array:
    """Fractions as float16: float64 holds these exactly, for they have at most 53 bits."""
    values = np.array([float(number) for number in numbers])
    assert all(Fraction(value) == number for value, number in zip(values, numbers, strict=True))
    return to_float16(values).reshape(shape)


@given(st.integers(0, 10_000), st.integers(20, 45), st.booleans(), st.booleans())
def test_a_convolution_rounds_the_exact_number_once(
    seed: int, shift: int, clipped: bool, with_residual: bool
) -> None:
    random = np.random.default_rng(seed)
    x = random.integers(-128, 128, (1, 3, 4, 5), np.int8)
    w = random.integers(-127, 128, (6, 2, 1, 5), np.int8)
    qpp = np.stack(
        [
            random.integers(-5000, 5000, 6),
            random.integers(1 << 14, 1 << 15, 6),
            np.full(6, shift),
        ],
        axis=1,
    ).astype(np.int32)
    residual = to_float16(np.ldexp(random.integers(-999, 999, (1, 2, 4, 6)) + 0.0, -8))
    sums = conv2d_accumulate(x, w)
    exact: list[Fraction] = []
    for index in np.ndindex(*sums.shape):
        bias, multiplier, places = (int(v) for v in qpp[index[-1]])
        number = Fraction((int(sums[index]) + bias) * multiplier, 1 << places)
        if with_residual:
            number += Fraction(float(residual[index]))
        exact.append(min(max(number, Fraction(0)), Fraction(6)) if clipped else number)
    found = conv2d(
        x,
        w,
        qpp,
        residual if with_residual else None,
        clip=(0, 6) if clipped else None,
        dtype=np.float16,
    )
    np.testing.assert_array_equal(found, rounded(exact, sums.shape))


def test_an_integer_residual_joins_the_accumulator() -> None:
    x = np.array([[[[3]]]], np.int8)
    w = np.array([[[[5]]]], np.int8)
    qpp = np.array([[7, 1 << 14, 16, 1 << 14, 12]], np.int32)  # R = r · 4
    residual = np.array([[[[9]]]], np.int8)
    assert conv2d(x, w, qpp, residual, dtype=np.float16) == (15 + 7 + 36) / 4


def test_what_exceeds_float16_saturates() -> None:
    x = np.full((1, 1, 1, 512), 127, np.int8)
    w = np.full((2, 1, 1, 512), 127, np.int8)
    w[1] = -127
    qpp = np.array([[0, 1 << 14, 14]] * 2, np.int32)
    np.testing.assert_array_equal(conv2d(x, w, qpp, dtype=np.float16).ravel(), [65504.0, -65504.0])


@pytest.mark.parametrize("dtype", [np.int8, np.int16])
def test_a_matmul_rounds_the_exact_number_once(dtype: type[np.int8 | np.int16]) -> None:
    random = np.random.default_rng(1)
    limits = np.iinfo(dtype)
    x = random.integers(limits.min, limits.max, (2, 3, 9), dtype, endpoint=True)
    y = random.integers(limits.min, limits.max, (2, 4, 9), dtype, endpoint=True)
    shift = 26 if dtype is np.int8 else 42
    found = matmul(x, y, multiplier=16411, shift=shift, lhs_zero_point=-3, dtype=np.float16)
    sums = matmul_accumulate(x, y) + 3 * y.sum(axis=-1, dtype=np.int64)[:, None, :]
    # Products of 47 bits by 15 are rounded to float64 first, far below float16's rounding.
    wanted = to_float16(np.ldexp((sums * np.int64(16411)).astype(np.float64), -shift))
    np.testing.assert_array_equal(found, wanted)

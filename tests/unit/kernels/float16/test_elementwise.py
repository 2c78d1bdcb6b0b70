"""One rounding per operation: NumPy's own float16 arithmetic, which is IEEE 754's, saturated."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.kernels.float16.elementwise import (
    float_add,
    float_compare,
    float_mul,
    float_prelu,
    float_sub,
)
from tests.unit.kernels.float16.test_rounding import drawn

OPERATIONS = {
    "add": (float_add, np.add),
    "sub": (float_sub, np.subtract),
    "mul": (float_mul, np.multiply),
}


@pytest.mark.parametrize("name", OPERATIONS)
@given(seed=st.integers(0, 10_000))
def test_arithmetic_is_ieee_754_saturated(name: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    x, y = drawn(random, (50, 30)), drawn(random, (30,))
    found = OPERATIONS[name][0](x, y)
    with np.errstate(over="ignore", under="ignore"):
        wanted = np.clip(OPERATIONS[name][1](x, y), -65504, 65504)
    np.testing.assert_array_equal(found, wanted)
    assert not np.any(found.view(np.uint16) == 0x8000)


@pytest.mark.parametrize(
    ("mode", "compare"),
    [
        ("equal", np.equal),
        ("not_equal", np.not_equal),
        ("greater", np.greater),
        ("greater_equal", np.greater_equal),
        ("less", np.less),
        ("less_equal", np.less_equal),
    ],
)
def test_comparisons_give_one_or_zero(mode: str, compare: np.ufunc) -> None:
    random = np.random.default_rng(1)
    x, y = drawn(random, (2000,)), drawn(random, (2000,))
    y[::3] = x[::3]
    found = float_compare(x, y, mode=mode)
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found, compare(x, y))


def test_a_slope_is_for_what_is_negative() -> None:
    x = np.array([[-2.0, 3.0], [4.0, -0.5]], np.float16)
    slope = np.array([0.25, 8.0], np.float16)
    np.testing.assert_array_equal(float_prelu(x, slope), [[-0.5, 3.0], [4.0, -4.0]])

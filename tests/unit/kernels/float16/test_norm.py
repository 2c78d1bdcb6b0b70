"""Softmax and norms within the bounds that docs/arithmetic.md declares, against float64."""

import hashlib
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hbir.kernels.float16.norm import float_layernorm, float_softmax
from hbir.kernels.float16.rounding import to_float16

ROUNDING, LEAST = 2.0**-11, 2.0**-25
"""Relative rounding to float16, and the absolute one near 0."""

SLACK = 1 + 2.0**-9


@given(st.integers(0, 10_000), st.integers(1, 3000), st.floats(0.01, 3000))
def test_softmax_is_within_its_bound(seed: int, classes: int, scale: float) -> None:
    random = np.random.default_rng(seed)
    x = to_float16(random.normal(0, scale, (3, classes)))
    found = float_softmax(x, dim=1)
    powers = np.exp(x.astype(np.float64) - x.max(axis=1, keepdims=True))
    exact = powers / powers.sum(axis=1, keepdims=True)
    steps = 10 + 2 * math.ceil(math.log2(classes))
    bound = ROUNDING * exact + LEAST + steps * 2.0**-24
    assert np.all(np.abs(found - exact) <= bound * SLACK)


def test_softmax_keeps_thousands_of_classes() -> None:
    x = to_float16(np.random.default_rng(0).normal(0, 1, (1, 20_000)))
    assert abs(float(float_softmax(x, dim=1).astype(np.float64).sum()) - 1) < 0.01


@given(
    st.integers(0, 10_000),
    st.integers(1, 2000),
    st.floats(0.01, 300),
    st.floats(-20, 20),
    st.sampled_from([0.0, 1e-6, 1e-3]),
    st.booleans(),
)
def test_layernorm_is_within_its_bound(
    seed: int, count: int, scale: float, offset: float, epsilon: float, center: bool
) -> None:
    random = np.random.default_rng(seed)
    x = to_float16(random.normal(offset * scale, scale, (4, count)))
    weight, bias = random.normal(size=(2, count)).astype(np.float32)
    affine = np.stack([weight, bias], axis=1)
    found = float_layernorm(x, affine, epsilon=epsilon, center=center)
    wide = x.astype(np.float64)
    centred = wide - wide.mean(axis=1, keepdims=True) if center else wide
    root = np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + np.float32(epsilon))
    root = np.maximum(root, 1e-30)
    normal = centred / root
    exact = normal * weight + bias
    spread = np.abs(wide).mean(axis=1, keepdims=True) / root
    levels = math.ceil(math.log2(count))
    varies = spread < 2.0**10  # beyond, a row hardly varies against its own mean
    inner = (levels + 2) * spread + (levels + 8) * np.abs(normal) + np.abs(bias) + 1
    bound = 2.0**-24 * inner * np.maximum(np.abs(weight), 1) + ROUNDING * np.abs(exact) + LEAST
    assert np.all((np.abs(found - exact) <= bound * SLACK) | ~varies | (np.abs(exact) > 65504))


def test_a_row_that_does_not_vary_is_its_bias() -> None:
    affine = np.array([[2.0, 0.5]] * 7, np.float32)
    x = np.full((2, 7), 3.0, np.float16)
    np.testing.assert_array_equal(float_layernorm(x, affine), 0.5 * np.ones((2, 7)))


def test_bits_are_those_of_every_machine() -> None:
    """Frozen: a NumPy or a CPU that computes otherwise would break the equality of levels."""
    x = (np.arange(24, dtype=np.float16).reshape(2, 12) * np.float16(0.37)) % np.float16(3)
    affine = np.stack([np.linspace(-1, 2, 12), np.linspace(0.5, 0, 12)], axis=1).astype(np.float32)
    found = [float_softmax(x, dim=1), float_layernorm(x, affine, epsilon=1e-5)]
    assert [hashlib.sha256(y.tobytes()).hexdigest()[:16] for y in found] == [
        "15fffbde4ac37c7e",
        "6ba79092eebe364d",
    ]

"""How close two tensors are."""

import numpy as np
import pytest

from hbir.ptq.verifier.compare import cosine, difference


def test_numbers_of_a_difference() -> None:
    found = difference("t", np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.5, 4.000001]), 5)
    assert (found.mismatched, found.total, found.equal) == (1, 3, False)
    assert found.max_abs_diff == 0.5
    assert found.max_rel_diff == 0.2
    assert found.percentage == pytest.approx(100 / 3)


def test_nan_equals_nan_and_nothing_else() -> None:
    nan = np.array([np.nan, np.inf])
    assert difference("t", nan, nan, 5).equal
    assert difference("t", nan, np.array([0.0, np.inf]), 5).mismatched == 1


def test_shapes_must_agree() -> None:
    found = difference("t", np.zeros(3), np.zeros(4), 5)
    assert found.shape is None
    assert not found.equal


def test_cosines() -> None:
    one, zero = np.array([1.0, 2.0]), np.zeros(2)
    assert cosine(one, 3 * one) == pytest.approx(1)
    assert cosine(one, -one) == pytest.approx(-1)
    assert (cosine(zero, zero), cosine(one, zero)) == (1.0, 0.0)
    assert cosine(one, np.array([np.nan, 1.0])) == 0.0

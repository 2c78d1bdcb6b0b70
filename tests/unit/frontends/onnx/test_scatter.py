"""ScatterElements and ScatterND against onnxruntime."""

import numpy as np
import pytest

from tests.unit.frontends.onnx.oracle import Array, check, count, random, single

REDUCTIONS = ["none", "add", "mul", "max", "min"]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_scatter_elements(reduction: str, axis: int) -> None:
    indices = np.array([[0, 2, -1], [1, 0, 1]])  # each place once along each axis
    updates = random(2, 3, seed=3)
    module = check(
        single("ScatterElements", (3, 4), [indices, updates], 18, axis=axis, reduction=reduction)
    )
    assert count(module, "hbir.scatter_elements") == 1


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    "indices", [np.array([[1], [-1]]), np.array([[0, 1], [2, -2]]), np.array([[[0, 1]]])]
)
def test_scatter_nd(reduction: str, indices: Array) -> None:
    shape = (3, 4, 2)
    updates = random(*indices.shape[:-1], *shape[indices.shape[-1] :], seed=3)
    check(single("ScatterND", shape, [indices, updates], 18, reduction=reduction))


def test_scatter_as_it_was_called_first() -> None:
    check(single("Scatter", (3, 4), [np.array([[2, 0]]), random(1, 2, seed=3)], 9, axis=1))

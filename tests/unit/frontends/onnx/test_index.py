"""Gather, GatherElements and GatherND against onnxruntime."""

import numpy as np
import pytest

from tests.unit.frontends.onnx.oracle import (
    Array,
    check,
    count,
    ints,
    model_of,
    node,
    random,
    single,
)

INDICES = [
    np.array(1),
    ints(0),
    ints(2, -1, 0),
    ints(1, 2),
    ints(0, 2),
    np.array([[1, 0], [-2, 2]]),
]


@pytest.mark.parametrize("indices", INDICES, ids=lambda indices: str(indices.tolist()))
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_gather_by_constants(indices: Array, axis: int) -> None:
    check(single("Gather", (3, 4, 5), [indices], axis=axis))


@pytest.mark.parametrize("axis", [0, 1, 3])
def test_gather_of_a_channel_behind_a_conv(axis: int) -> None:
    nodes = [node("Conv", ["x", "w"], ["a"]), node("Gather", ["a", "i"], axis=axis)]
    constants = {"w": random(3, 2, 1, 1), "i": ints(1, 0) if axis else ints(0)}
    check(model_of(nodes, {"x": (1, 2, 6, 5)}, ["y"], constants))


@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
def test_an_embedding_of_computed_indices(shape: tuple[int, ...]) -> None:
    nodes = [node("Cast", ["x"], ["i"], to=7), node("Gather", ["table", "i"])]
    module = check(model_of(nodes, {"x": shape}, ["y"], {"table": random(9, 5)}))
    assert count(module, "hbir.index") == 1


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_gather_elements(axis: int) -> None:
    indices = np.random.default_rng(0).integers(-3, 3, (3, 2, 3))
    check(single("GatherElements", (3, 4, 3), [indices], axis=axis))


@pytest.mark.parametrize(
    ("shape", "indices", "batch_dims"),
    [
        ((3, 4, 5), np.array([[0, 1], [2, -1]]), 0),
        ((3, 4, 5), np.array([[[2]], [[-1]]]), 0),
        ((2, 4, 5), np.array([[[1], [0]], [[3], [-2]]]), 1),
        ((2, 4, 5), np.array([[1, 2], [0, -3]]), 1),
        ((3, 4), np.array([1, 2]), 0),
    ],
)
def test_gather_nd(shape: tuple[int, ...], indices: Array, batch_dims: int) -> None:
    check(single("GatherND", shape, [indices], batch_dims=batch_dims))

"""Permutations against NumPy."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hbir.passes.permutation import compose, identity, inverse, moves_nothing, through_reshape

SHAPES = st.lists(st.sampled_from([1, 1, 2, 3, 4, 6]), min_size=1, max_size=5)


@st.composite
def transposed_shapes(draw: st.DrawFn) -> tuple[list[int], tuple[int, ...]]:
    shape = draw(SHAPES)
    return shape, tuple(draw(st.permutations(range(len(shape)))))


@st.composite
def reshapes(draw: st.DrawFn) -> tuple[list[int], tuple[int, ...], list[int]]:
    """A shape, a permutation of it, and another shape of as many elements."""
    shape, dims = draw(transposed_shapes())
    rest, target = math.prod(shape), list[int]()
    while rest > 1 and len(target) < 4:
        factor = draw(st.sampled_from([d for d in range(1, rest + 1) if rest % d == 0]))
        target.append(factor)
        rest //= factor
    return shape, dims, [*target, rest]


def numbered(shape: list[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.arange(math.prod(shape), dtype=np.int64).reshape(shape)


@given(transposed_shapes(), st.data())
def test_compose_and_inverse(case: tuple[list[int], tuple[int, ...]], data: st.DataObject) -> None:
    shape, first = case
    second = tuple(data.draw(st.permutations(range(len(shape)))))
    x = numbered(shape)
    both = x.transpose(first).transpose(second)
    np.testing.assert_array_equal(x.transpose(compose(first, second)), both)
    assert compose(first, inverse(first)) == identity(len(shape)) == compose(inverse(first), first)


@given(transposed_shapes())
def test_moves_nothing(case: tuple[list[int], tuple[int, ...]]) -> None:
    shape, dims = case
    x = numbered(shape)
    same = bool(np.array_equal(x.transpose(dims).reshape(-1), x.reshape(-1)))
    assert moves_nothing(shape, dims) == same


@given(reshapes())
def test_through_reshape(case: tuple[list[int], tuple[int, ...], list[int]]) -> None:
    shape, dims, target = case
    x = numbered(shape)
    moved = through_reshape(shape, dims, target)
    assert moved is not None
    got = x.transpose(moved.before).reshape(moved.shape).transpose(moved.after)
    np.testing.assert_array_equal(got, x.transpose(dims).reshape(target))


def test_whole_groups_need_nothing_before() -> None:
    moved = through_reshape((1, 7, 5, 16), (0, 3, 1, 2), (1, 16, 35))
    assert moved is not None
    assert (moved.before, moved.shape, moved.after) == ((0, 1, 2, 3), (1, 35, 16), (0, 2, 1))


def test_without_elements_nothing_moves() -> None:
    assert through_reshape((0, 3), (1, 0), (3, 0)) is None

"""Moves change no integer."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hbir.kernels.table import execute
from tests.unit.kernels.integer.strategies import tensors


@given(st.data())
def test_concat_then_slice_gives_the_parts_back(data: st.DataObject):
    parts = [data.draw(tensors((1, 2, n, 3), np.int16)) for n in (1, 4, 2)]
    whole = execute("bpu.concat", parts, {"dim": 2})
    begin = 0
    for part in parts:
        end = begin + part.shape[2]
        box = {"begin": (0, 0, begin, 0), "end": (1, 2, end, 3), "step": (1, 1, 1, 1)}
        np.testing.assert_array_equal(execute("bpu.slice", [whole], box), part)
        begin = end


@given(st.data())
def test_strided_slices_pick_every_nth(data: st.DataObject):
    x = data.draw(tensors((4, 9)))
    got = execute("bpu.slice", [x], {"begin": (1, 2), "end": (4, 9), "step": (2, 3)})
    assert got.tolist() == [[int(x[i, j]) for j in (2, 5, 8)] for i in (1, 3)]


@given(st.data(), st.permutations(range(4)))
def test_transpose_moves_dimension_dims_i_to_i(data: st.DataObject, dims: list[int]):
    x = data.draw(tensors((2, 3, 4, 5)))
    got = execute("bpu.transpose", [x], {"dims": tuple(dims)})
    assert got.flags.c_contiguous
    for index in np.ndindex(*got.shape):
        source = [0] * 4
        for axis, dim in enumerate(dims):
            source[dim] = index[axis]
        assert got[index] == x[tuple(source)]


@given(st.data(), st.integers(-128, 127))
def test_pad_surrounds_with_its_value(data: st.DataObject, value: int):
    x = data.draw(tensors((2, 3)))
    got = execute("bpu.pad", [x], {"begin": (1, 0), "end": (2, 4), "pad_value": value})
    assert got.shape == (5, 7)
    inside = np.zeros(got.shape, bool)
    inside[1:3, :3] = True
    np.testing.assert_array_equal(got[1:3, :3], x)
    assert np.all(got[~inside] == value)
    assert got.dtype == np.int8


def test_reshape_keeps_the_order():
    x = np.arange(24, dtype=np.int8).reshape(2, 3, 4)
    got = execute("bpu.reshape", [x], {"shape": (6, 4)})
    assert got.reshape(-1).tolist() == list(range(24))


@given(st.data(), st.tuples(*[st.integers(1, 3)] * 3))
def test_tile_repeats(data: st.DataObject, multiplies: tuple[int, ...]) -> None:
    x = data.draw(tensors((2, 1, 3), data.draw(st.sampled_from([np.int8, np.int16]))))
    got = execute("bpu.tile", [x], {"multiplies": multiplies})
    assert got.shape == tuple(n * m for n, m in zip(x.shape, multiplies, strict=True))
    for index in np.ndindex(*got.shape):
        assert got[index] == x[index[0] % 2, 0, index[2] % 3]

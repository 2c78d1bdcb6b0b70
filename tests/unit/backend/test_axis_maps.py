"""Axis maps against brute force: a tile needs what makes its kernel give the whole's values."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from hbir.backend.axis_maps import ChannelGroup, Resize, Shifted, Window

INT8 = np.dtype(np.int8)


@given(
    size=st.integers(1, 20),
    stride=st.integers(1, 3),
    kernel=st.integers(1, 4),
    dilation=st.integers(1, 3),
    pads=st.tuples(st.integers(-2, 5), st.integers(-2, 5)),
    spread=st.integers(1, 3),
    data=st.data(),
)
def test_a_window_tile_sees_what_the_whole_sees(
    size: int,
    stride: int,
    kernel: int,
    dilation: int,
    pads: tuple[int, int],
    spread: int,
    data: st.DataObject,
) -> None:
    whole = window_inputs(range(1, size + 1), spread, pads)
    outputs = (len(whole) - (kernel - 1) * dilation - 1) // stride + 1
    assume(outputs >= 1)
    start = data.draw(st.integers(0, outputs - 1))
    stop = data.draw(st.integers(start + 1, outputs))
    axis = Window(0, size, stride, kernel, dilation, pads[0], spread)
    first, last = np.array([start]), np.array([stop])
    (low,), (high,) = axis.interval(first, last)
    (before,), (after,) = axis.pads(first, last)
    assert 0 <= low < high <= size
    tile = window_inputs(range(int(low) + 1, int(high) + 1), spread, (int(before), int(after)))
    reach = (stop - 1 - start) * stride + (kernel - 1) * dilation + 1
    assert tile.tolist() == whole[start * stride : start * stride + reach].tolist()


def window_inputs(
    values: Sequence[int], spread: int, pads: tuple[int, int]
) -> np.ndarray[Any, Any]:
    """`values` with gaps and pads as -1; negative pads crop."""
    spaced = np.full((len(values) - 1) * spread + 1, -1)
    spaced[::spread] = values
    before, after = pads
    spaced = spaced[max(0, -before) : len(spaced) - max(0, -after)]
    fill = [np.full(max(0, pad), -1) for pad in pads]
    return np.concatenate([fill[0], spaced, fill[1]])


@given(
    size=st.integers(1, 20),
    shift=st.integers(-10, 10),
    stride=st.integers(1, 3),
    start=st.integers(0, 15),
    length=st.integers(1, 10),
)
def test_a_shifted_box_is_what_exists(
    size: int, shift: int, stride: int, start: int, length: int
) -> None:
    outputs = range(start, start + length)
    present = [o for o in outputs if 0 <= o * stride + shift < size]
    axis = Shifted(0, size, shift, stride)
    first, last = np.array([start]), np.array([start + length])
    (low,), (high,) = axis.interval(first, last)
    if not present:
        assert high <= low
        return
    assert list(range(low, high, stride)) == [o * stride + shift for o in present]
    assert axis.place(first, last)[0] == present[0] - start


@given(
    size=st.integers(1, 20),
    step=st.floats(-3, 3),
    offset=st.floats(-5, 5),
    start=st.integers(0, 15),
    length=st.integers(1, 10),
)
def test_resize_covers_both_neighbours(
    size: int, step: float, offset: float, start: int, length: int
) -> None:
    bits = 16
    axis = Resize(0, size, round(step * 2**bits), round(offset * 2**bits), bits)
    (low,), (high,) = axis.interval(np.array([start]), np.array([start + length]))
    assert 0 <= low < high <= size
    for output in range(start, start + length):
        position = (axis.source_offset + axis.source_step * output) >> bits
        for neighbour in (position, position + 1):
            assert low <= min(max(neighbour, 0), size - 1) < high


def test_groups_of_channels() -> None:
    axis = ChannelGroup(3, 12, 3, 2)
    low, high = axis.interval(np.array([0, 2, 3, 0]), np.array([2, 4, 4, 8]))
    assert list(zip(low.tolist(), high.tolist(), strict=True)) == [(0, 3), (3, 6), (3, 6), (0, 12)]

"""Window geometry, by laying the windows out one after the other."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from hbir.kernels.window import transposed_window_shape, window_positions, window_shape

taps = st.integers(1, 5)
pads = st.integers(-2, 4)


def counted(size: int, kernel: int, stride: int, pads: tuple[int, int], dilation: int) -> int:
    """Windows that lie wholly in the padded axis, counted one by one."""
    starts = range(-pads[0], size + pads[1], stride)
    return sum(start + (kernel - 1) * dilation < size + pads[1] for start in starts)


@given(st.integers(1, 20), taps, taps, st.tuples(pads, pads), st.integers(1, 3))
def test_whole_windows(
    size: int, kernel: int, stride: int, pad: tuple[int, int], dilation: int
) -> None:
    expected = counted(size, kernel, stride, pad, dilation)
    assert window_positions(size, kernel, stride, *pad, dilation) == expected
    shape = window_shape((size, size), (kernel, kernel), (stride, stride), pad * 2, (dilation,) * 2)
    assert shape[0] == window_positions(size, kernel, stride, pad[0], pad[0], dilation)
    assert shape[1] == window_positions(size, kernel, stride, pad[1], pad[1], dilation)


@given(st.integers(1, 20), taps, taps, st.data())
def test_ceil_mode_adds_a_window_that_starts_before_the_end_padding(
    size: int, kernel: int, stride: int, data: st.DataObject
) -> None:
    before, after = (data.draw(st.integers(0, kernel - 1)) for _ in range(2))
    whole = window_positions(size, kernel, stride, before, after)
    assume(whole >= 1)
    end_of_last = (whole - 1) * stride - before + kernel
    start_of_next = whole * stride - before
    more = end_of_last < size + after and start_of_next < size
    actual = window_positions(size, kernel, stride, before, after, ceil_mode=True)
    assert actual == whole + more


@given(st.integers(1, 9), taps, taps, st.integers(1, 3))
def test_a_transposed_window_undoes_a_window(
    size: int, kernel: int, stride: int, dilation: int
) -> None:
    full = transposed_window_shape(
        (size, size), (kernel, kernel), (stride, stride), (0, 0, 0, 0), (dilation, dilation)
    )
    assert window_positions(full[0], kernel, stride, 0, 0, dilation) == size

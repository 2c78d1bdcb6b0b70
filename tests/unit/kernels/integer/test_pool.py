"""Integer pooling against plain Python integers; tiles against the whole."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hbir.kernels.integer.pool import avg_pool, max_pool
from hbir.kernels.parameters import avg_pool_qpp
from tests.unit.kernels.integer import oracle
from tests.unit.kernels.integer.strategies import SI8, tensors


@st.composite
def pools(draw: st.DrawFn) -> tuple[Any, dict[str, Any]]:
    """x and a pool's kernel, stride and pads, pads as large as the kernel."""
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    size = draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    pad = draw(st.tuples(*[st.integers(0, kernel[a]) for a in (0, 1, 0, 1)]))
    for axis in range(2):
        assume(size[axis] + pad[axis] + pad[axis + 2] >= kernel[axis])
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    x = draw(
        tensors((draw(st.integers(1, 2)), *size, 2), draw(st.sampled_from([np.int8, np.int16])))
    )
    return x, {"kernel": kernel, "stride": stride, "pad": pad}


@settings(deadline=None)
@given(pools())
def test_max_pool_equals_plain_integers(case: tuple[Any, dict[str, Any]]):
    x, params = case
    got = max_pool(x, **params)
    lowest = int(np.iinfo(x.dtype.name).min)
    for index, inside in oracle.window_sums(x, **params):
        assert int(got[index]) == max(inside, default=lowest)


@settings(deadline=None)
@given(st.data())
def test_dilated_max_pool_skips_elements(data: st.DataObject):
    x = data.draw(tensors((1, 9, 8, 2)))
    got = max_pool(x, kernel=(3, 2), stride=(2, 1), dilation=(2, 3), pad=(1, 0, 1, 0))
    padded = np.full((1, 11, 8, 2), -128, np.int8)
    padded[:, 1:10] = x
    for _, i, j, c in np.ndindex(*got.shape):
        window = padded[0, 2 * i : 2 * i + 5 : 2, j : j + 4 : 3, c]
        assert got[0, i, j, c] == window.max()


@settings(deadline=None)
@given(pools(), SI8, SI8, st.booleans())
def test_avg_pool_equals_plain_integers(
    case: tuple[Any, dict[str, Any]], zero: int, out_zero: int, include: bool
):
    x, params = case
    elements = params["kernel"][0] * params["kernel"][1]
    qpp = avg_pool_qpp(0.03, 0.02, elements, exclude_pad=not include)
    got = avg_pool(
        x,
        qpp,
        input_zero_point=zero,
        output_zero_point=out_zero,
        count_include_pad=include,
        dtype=x.dtype,
        **params,
    )
    for index, inside in oracle.window_sums(x, **params):
        multiplier, shift = (int(v) for v in qpp[0 if include else len(inside)])
        total = sum(v - zero for v in inside)
        value = oracle.round_half_up(total * multiplier, shift) + out_zero
        assert int(got[index]) == oracle.saturated(value, x.dtype)


def test_avg_pool_divides_by_the_valid_count():
    """A constant stays that constant next to the padding, when padding doesn't count."""
    x = np.full((1, 4, 4, 1), 100, np.int8)
    qpp = avg_pool_qpp(0.1, 0.1, 9, exclude_pad=True)
    pad = (1, 1, 1, 1)
    excluded = avg_pool(x, qpp, kernel=(3, 3), pad=pad, count_include_pad=False)
    assert np.all(excluded == 100)
    included = avg_pool(x, avg_pool_qpp(0.1, 0.1, 9, exclude_pad=False), kernel=(3, 3), pad=pad)
    assert included[0, 0, 0, 0] == 44  # 4 of 9 elements are inside
    assert included[0, 1, 1, 0] == 100


@settings(deadline=None)
@given(pools(), st.data(), st.booleans())
def test_a_tile_equals_its_part_of_the_whole(
    case: tuple[Any, dict[str, Any]], data: st.DataObject, average: bool
):
    """Output rows a..b from only the rows they read, with pads only where they meet the border."""
    x, params = case
    kernel, stride, pad = params["kernel"], params["stride"], params["pad"]
    elements = kernel[0] * kernel[1]
    qpp = avg_pool_qpp(0.03, 0.02, elements, exclude_pad=True)

    def run(part: Any, part_pad: tuple[int, ...]) -> Any:
        if not average:
            return max_pool(part, kernel=kernel, stride=stride, pad=part_pad)
        return avg_pool(
            part, qpp, kernel=kernel, stride=stride, pad=part_pad, count_include_pad=False
        )

    whole = run(x, pad)
    start = data.draw(st.integers(0, whole.shape[1] - 1))
    stop = data.draw(st.integers(start + 1, whole.shape[1]))
    first = start * stride[0] - pad[0]
    last = (stop - 1) * stride[0] - pad[0] + kernel[0]
    low, high = max(first, 0), min(last, x.shape[1])
    assume(low < high)
    tile = run(x[:, low:high], (low - first, pad[1], last - high, pad[3]))
    np.testing.assert_array_equal(tile, whole[:, start:stop])

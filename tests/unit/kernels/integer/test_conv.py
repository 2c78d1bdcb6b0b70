"""bpu.conv2d against plain Python integers, and at the edge of float exactness."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hbir.kernels.integer import conv
from hbir.kernels.integer.conv import conv2d, conv2d_accumulate, conv2d_finish, exact_float
from hbir.kernels.table import execute
from tests.unit.kernels.integer import oracle
from tests.unit.kernels.integer.strategies import tensors


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[Any, Any, dict[str, Any]]:
    """x, w and the geometry of a small convolution: groups, depthwise, crops, spread inputs."""
    groups = draw(st.integers(1, 3))
    group_cin, group_cout = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    size = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    pairs = st.tuples(st.integers(1, 2), st.integers(1, 2))
    params: dict[str, Any] = {
        "stride": draw(pairs),
        "pad": draw(st.tuples(*[st.integers(-2, 3)] * 4)),
        "dilation": draw(pairs),
        "group_num": groups,
        "input_dilation": draw(pairs),
        "pad_value": draw(st.integers(-128, 127)),
    }
    for axis in range(2):
        spread = (size[axis] - 1) * params["input_dilation"][axis] + 1
        begin, end = params["pad"][axis], params["pad"][axis + 2]
        assume(spread + min(begin, 0) + min(end, 0) >= 1)
        assume(spread + begin + end >= params["dilation"][axis] * (kernel[axis] - 1) + 1)
    x_dtype = draw(st.sampled_from([np.int8, np.int16]))
    x = draw(tensors((draw(st.integers(1, 2)), *size, groups * group_cin), x_dtype))
    w_dtype = draw(st.sampled_from([np.int8, np.int16]))
    w = draw(tensors((groups * group_cout, *kernel, group_cin), w_dtype))
    return x, w, params


@settings(max_examples=80, deadline=None)
@given(convolutions())
def test_accumulate_equals_plain_integers(case: tuple[Any, Any, dict[str, Any]]):
    x, w, params = case
    got = conv2d_accumulate(x, w, **params)
    assert got.dtype == (np.int32 if x.dtype == w.dtype == np.int8 else np.int64)
    np.testing.assert_array_equal(got, oracle.conv_sums(x, w, **params))


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    bits=st.sampled_from([4, 8, 16, 29]),
    dtype=st.sampled_from([np.int8, np.int16, np.int32]),
    with_residual=st.booleans(),
    zero_point=st.integers(-128, 127),
    clip=st.sampled_from([None, (0, 127), (-3, 90), (-128, -128)]),
)
def test_finish_equals_plain_integers(
    seed: int,
    bits: int,
    dtype: type[np.signedinteger[Any]],
    with_residual: bool,
    zero_point: int,
    clip: tuple[int, int] | None,
):
    generator = np.random.default_rng(seed)
    channels = 5
    # Small sums meet ties and the result's range, large ones the accumulator's.
    largest = 2**bits
    sums = generator.integers(-largest, largest, (1, 2, 3, channels)).astype(np.int32)
    qpp = np.stack(
        [
            generator.integers(-largest, largest, channels),
            generator.choice([0, 1 << 14, (1 << 15) - 1, 20000], channels),
            generator.choice([2, 14, 15, 17, 30, 44, 62], channels),
            generator.integers(1 << 14, 1 << 15, channels),
            generator.choice([-7, -1, 0, 1, 20, 62], channels),
        ],
        axis=1,
    ).astype(np.int32)
    residual = generator.integers(-128, 128, sums.shape).astype(np.int8)
    residual_operand = residual if with_residual else None
    table = qpp if with_residual else qpp[:, :3]
    zero_point = 0 if dtype is np.int32 else zero_point
    params: dict[str, Any] = {"output_zero_point": zero_point, "clip": clip, "dtype": dtype}
    got = conv2d_finish(sums, table, residual_operand, **params)
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, oracle.conv_finish(sums, table, residual_operand, **params))


@pytest.mark.parametrize("terms", [1024, 1025, 1153, 4608, 9216])
@pytest.mark.parametrize("signs", ["equal", "mixed"])
def test_worst_case_sums_are_exact(terms: int, signs: str):
    """All products at their extreme: the sums reach 2^14 * terms, and odd values need every bit."""
    x = np.full((1, 1, 3, terms), -128, np.int8)
    x[0, 0, 1] = 127
    x[0, 0, 2, ::2] = -127
    w = np.full((4, 1, 1, terms), -128, np.int8)
    w[1:] = 127
    if signs == "mixed":
        w[2, :, :, : terms // 2] = -127
    w[3, :, :, -1] = 126
    expected = x.reshape(3, terms).astype(object) @ w.reshape(4, terms).astype(object).T
    got = conv2d_accumulate(x, w)
    assert got.reshape(3, 4).tolist() == expected.tolist()


def test_one_float32_product_would_be_wrong():
    """The split is needed: a single float32 product of 4608 extreme terms loses bits."""
    terms = 4608
    generator = np.random.default_rng(7)
    x = generator.integers(120, 128, (1, 8, 8, terms)).astype(np.int8)
    w = generator.integers(120, 128, (16, 1, 1, terms)).astype(np.int8)
    exact = conv2d_accumulate(x, w).reshape(64, 16)
    unsplit = x.reshape(64, terms).astype(np.float32) @ w.reshape(16, terms).astype(np.float32).T
    assert np.any(unsplit.astype(np.int64) != exact)
    wide = x.reshape(64, terms).astype(np.int64) @ w.reshape(16, terms).astype(np.int64).T
    np.testing.assert_array_equal(exact, wide)


@pytest.mark.parametrize(
    ("dtypes", "mantissa_bits"),
    [
        ((np.int8, np.int8), 24),
        ((np.int16, np.int8), 53),
        ((np.int8, np.int16), 53),
        ((np.int16, np.int16), 53),
    ],
)
def test_chunks_stay_inside_the_mantissa(dtypes: tuple[type, type], mantissa_bits: int):
    float_type, chunk = exact_float(*dtypes)
    largest = [-int(np.iinfo(np.dtype(dtype).name).min) for dtype in dtypes]
    assert np.finfo(np.dtype(float_type).name).nmant + 1 == mantissa_bits
    assert largest[0] * largest[1] * chunk == 2**mantissa_bits


def test_worst_case_int16_is_exact():
    x = np.full((1, 1, 2, 4608), -32768, np.int16)
    x[0, 0, 1, ::2] = 32767
    w = np.full((1, 1, 1, 4608), -128, np.int8)
    got = conv2d_accumulate(x, w).reshape(2)
    assert got.tolist() == [32768 * 128 * 4608, (32768 - 32767) * 128 * 2304]


def test_worst_case_int16_by_int16_is_exact(monkeypatch: pytest.MonkeyPatch):
    """The most products a constraint allows, all extreme: 2^45. Chunks of 2^23 are never reached,
    so a smaller bound shows that the split adds up."""
    terms = 32768
    x = np.full((1, 1, 3, terms), -32768, np.int16)
    x[0, 0, 1, ::2] = 32767
    x[0, 0, 2] = 32767
    w = np.full((2, 1, 1, terms), -32768, np.int16)
    w[1] = 32767
    w[1, :, :, -1] = 32766
    expected = (x.reshape(3, terms).astype(object) @ w.reshape(2, terms).astype(object).T).tolist()
    assert conv2d_accumulate(x, w).reshape(3, 2).tolist() == expected

    def short_chunks(*_: object) -> tuple[type[np.float64], int]:
        return np.float64, 1000

    monkeypatch.setattr(conv, "exact_float", short_chunks)
    assert conv2d_accumulate(x, w).reshape(3, 2).tolist() == expected


def test_depthwise_with_many_taps_is_exact():
    """33 x 33 taps exceed 1024 products of 2^14; their odd sum needs a 25th bit."""
    x = np.full((1, 33, 33, 2), 127, np.int8)
    x[..., 1] = -128
    w = np.full((2, 33, 33, 1), 127, np.int8)
    got = conv2d_accumulate(x, w, group_num=2).reshape(2)
    assert got.tolist() == [1089 * 127 * 127, -1089 * 127 * 128]
    assert int(np.float32(got[0])) != got[0]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_accumulators_of_a_split_reduction_add_up(data: st.DataObject):
    """Channels cut in two: accumulate the parts, add, finish; the same bits as the whole."""
    x = data.draw(tensors((1, 5, 6, 12)))
    w = data.draw(tensors((4, 3, 3, 12)))
    cut = data.draw(st.integers(1, 11))
    qpp = np.tile(np.array([[77, 20011, 24]], np.int32), (4, 1))
    params: dict[str, Any] = {"pad": (1, 1, 1, 1), "pad_value": -3}
    parts = [
        conv2d_accumulate(
            np.ascontiguousarray(x[..., s]), np.ascontiguousarray(w[..., s]), **params
        )
        for s in (slice(None, cut), slice(cut, None))
    ]
    whole = conv2d(x, w, qpp, **params)
    np.testing.assert_array_equal(conv2d_finish(parts[0] + parts[1], qpp), whole)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_tile_equals_its_part_of_the_whole(data: st.DataObject):
    """Rows a..b of the output from only the input rows they read, pads only at the borders."""
    kernel, stride = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 2))
    pad = data.draw(st.integers(0, kernel - 1))
    size = data.draw(st.integers(kernel, 9))
    x = data.draw(tensors((1, size, 5, 3)))
    w = data.draw(tensors((4, kernel, 1, 3)))
    qpp = np.tile(np.array([[-900, 17000, 23]], np.int32), (4, 1))
    common: dict[str, Any] = {"stride": (stride, 1), "pad_value": 5}
    whole = conv2d(x, w, qpp, pad=(pad, 0, pad, 0), **common)
    start = data.draw(st.integers(0, whole.shape[1] - 1))
    stop = data.draw(st.integers(start + 1, whole.shape[1]))
    first, last = start * stride - pad, (stop - 1) * stride - pad + kernel
    low, high = max(first, 0), min(last, size)
    assume(low < high)
    tile = conv2d(x[:, low:high], w, qpp, pad=(low - first, 0, last - high, 0), **common)
    np.testing.assert_array_equal(tile, whole[:, start:stop])


@pytest.mark.parametrize("shape", [(70, 1, 1, 2048), (3, 40, 5, 96), (5, 1, 300, 64)])
def test_blocks_of_images_and_rows_cover_everything(shape: tuple[int, ...]):
    """More elements than one block: many small images, and rows of large ones."""
    generator = np.random.default_rng(1)
    x = generator.integers(-128, 128, shape).astype(np.int8)
    w = generator.integers(-127, 128, (7, 3, 3, shape[3])).astype(np.int8)
    got = conv2d_accumulate(x, w, pad=(1, 1, 1, 1))
    padded = np.pad(x.astype(np.int64), ((0, 0), (1, 1), (1, 1), (0, 0)))
    height, width = shape[1:3]
    expected = sum(
        padded[:, p : p + height, q : q + width] @ w[:, p, q].T.astype(np.int64)
        for p in range(3)
        for q in range(3)
    )
    np.testing.assert_array_equal(got, expected)


def test_the_table_runs_the_same_kernel():
    x = np.arange(-8, 8, dtype=np.int8).reshape(1, 2, 2, 4)
    w = np.ones((1, 1, 1, 4), np.int8)
    qpp = np.array([[0, 1 << 14, 14]], np.int32)
    got = execute("bpu.conv2d", [x, w, qpp], {"dtype": np.dtype(np.int8)})
    assert got.reshape(-1).tolist() == [-26, -10, 6, 22]

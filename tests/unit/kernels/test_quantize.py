"""Ranges, scales, quantize and dequantize: exact round trips, and onnxruntime as the judge."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hbir.errors import HbirError
from hbir.kernels.quantize import (
    EMPTY_RANGE_SCALE,
    integer_range,
    range_of,
    scale_and_zero_point,
    scales_and_zero_points,
)
from hbir.kernels.table import execute
from hbir.kernels.types import Array
from tests.unit.kernels.float.onnx_oracle import run_onnx

TINY = float(np.finfo(np.float32).tiny)
scales = st.floats(TINY, 2.0**100, width=32, allow_subnormal=False)
widths = st.sampled_from([2, 4, 8, 16])


@given(widths, scales, st.booleans(), st.data())
@example(8, TINY, False, None)
def test_scale_and_zero_point_survive_their_range(
    bits: int, scale: float, narrow: bool, data: Any
) -> None:
    qmin, qmax = integer_range(bits, narrow)
    zero_point = 0 if data is None else data.draw(st.integers(qmin, qmax))
    low, high = range_of(bits, scale, zero_point, narrow)
    assert scale_and_zero_point(bits, low, high, narrow) == (np.float32(scale), zero_point)


def test_published_examples() -> None:
    """The published documents' 8-bit ranges: 12.7 / 127 and symmetric narrow ones."""
    assert scale_and_zero_point(8, -12.8, 12.7) == (np.float32(0.1), 0)
    assert scale_and_zero_point(8, -127.0, 127.0, narrow_range=True) == (np.float32(1.0), 0)
    assert scale_and_zero_point(8, 0.0, 255.0) == (np.float32(1.0), -128)


def test_a_range_without_extent_has_a_scale_all_the_same() -> None:
    assert scale_and_zero_point(8, 0.0, 0.0) == (EMPTY_RANGE_SCALE, 0)
    scale, zero_point = scales_and_zero_points(8, [0.0, -1.28], [1e-40, 1.27])
    np.testing.assert_array_equal(scale, np.array([EMPTY_RANGE_SCALE, 0.01], np.float32))
    np.testing.assert_array_equal(zero_point, [0, 0])


@pytest.mark.parametrize(
    ("low", "high", "message"),
    [
        (1.0, -1.0, "minimum 1.0 exceeds maximum -1.0"),
        (float("nan"), 1.0, "must be finite"),
        (-float("inf"), 1.0, "must be finite"),
        (-1e300, 1e300, "too wide"),
    ],
)
def test_ranges_without_a_scale(low: float, high: float, message: str) -> None:
    with pytest.raises(HbirError, match=message):
        scale_and_zero_point(8, low, high)


values = hnp.arrays(np.float32, (7,), elements=st.floats(-1e6, 1e6, width=32))


@pytest.mark.parametrize("dtype", [np.int8, np.int16])
@given(x=values, scale=st.floats(2.0**-10, 2.0**10, width=32), data=st.data())
def test_quantize_and_dequantize(dtype: Any, x: Array, scale: float, data: st.DataObject) -> None:
    limits = np.iinfo(dtype)
    zero_point = data.draw(st.integers(int(limits.min), int(limits.max)))
    onnx_scale, onnx_zero = np.array(scale, np.float32), np.array(zero_point, dtype)
    params = {"scale": scale, "zero_point": zero_point, "dtype": np.dtype(dtype)}
    q = execute("qnt.quantize", [x], params)
    assert q.dtype == dtype
    expected = run_onnx("QuantizeLinear", [x, onnx_scale, onnx_zero], dtype=dtype)
    np.testing.assert_array_equal(q, expected)
    back = execute("qnt.dequantize", [q, onnx_scale.reshape(1)], {"zero_point": zero_point})
    wide = (q.astype(np.int64) - zero_point).astype(np.float32) * np.float32(scale)
    np.testing.assert_array_equal(back, wide)


def test_ties_go_to_the_even_neighbour_and_nan_to_the_least() -> None:
    x = np.array([0.5, 1.5, 2.5, -0.5, -1.5, np.nan, np.inf, -np.inf], np.float32)
    q = execute("qnt.quantize", [x], {"scale": 1.0, "dtype": np.dtype(np.int8)})
    assert q.tolist() == [0, 2, 2, 0, -2, -128, 127, -128]


def test_raw_accumulators_dequantize_per_channel() -> None:
    q = np.array([[2**31 - 1, -(2**31)], [3, -5]], np.int32)
    scale = np.array([0.5, 2.0], np.float32)
    expected = q.astype(np.float32) * scale
    np.testing.assert_array_equal(execute("qnt.dequantize", [q, scale], {}), expected)


@given(
    hnp.arrays(np.float32, (3, 2, 4), elements=st.floats(-1e3, 1e3, width=32)),
    st.sampled_from([None, 0, 1, -1]),
    st.sampled_from([4, 8, 16]),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_fake_quant_is_quantize_then_dequantize(
    x: Array, axis: int | None, bits: int, narrow: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    channels = 1 if axis is None else x.shape[axis]
    low, high = -rng.uniform(0, 900, channels), rng.uniform(1, 900, channels)
    params = {"bits": bits, "min": tuple(low), "max": tuple(high), "narrow_range": narrow}
    actual = execute("qnt.const_fake_quant", [x], {**params, "axis": axis})
    moved_x, moved = (np.moveaxis(a, axis or 0, 0) for a in (x, actual))
    for channel in range(channels):
        scale, zero_point = scale_and_zero_point(bits, low[channel], high[channel], narrow)
        qmin, qmax = integer_range(bits, narrow)
        part, result = (moved_x, moved) if axis is None else (moved_x[channel], moved[channel])
        q = np.clip(np.rint(part / scale).astype(np.int64) + zero_point, qmin, qmax)
        np.testing.assert_array_equal(result, (q - zero_point).astype(np.float32) * scale)


def test_fake_quant_keeps_scalars_and_empty_tensors() -> None:
    params = {"min": (-1.28,), "max": (1.27,)}
    for x in (np.array(0.014, np.float32), np.zeros((0, 3), np.float32)):
        result = execute("qnt.const_fake_quant", [x], params)
        assert result.shape == x.shape
        assert result.dtype == np.float32

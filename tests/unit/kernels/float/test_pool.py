"""Pooling against onnxruntime, on random windows, ceil mode and padding counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from hbir.dialects.hbir.pool import AvgPoolOp, MaxPoolOp
from hbir.kernels.window import window_shape
from tests.unit.kernels.float.onnx_oracle import (
    assert_close,
    channel_first,
    channel_last,
    evaluate,
    run_onnx,
)


@st.composite
def pools(draw: st.DrawFn) -> tuple[np.ndarray[Any, Any], dict[str, Any]]:
    """An input and the parameters of a pool that fits it."""
    pairs = st.tuples(st.integers(1, 4), st.integers(1, 4))
    kernel, dilation = draw(pairs), draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    # onnxruntime refuses pads of a kernel's size, and hbir those of a window's extent
    pad = tuple(draw(st.integers(0, kernel[side % 2] - 1)) for side in range(4))
    params: dict[str, Any] = {
        "kernel": kernel,
        "stride": draw(pairs),
        "pad": pad,
        "dilation": dilation,
        "ceil_mode": draw(st.booleans()),
    }
    height, width = draw(st.integers(1, 10)), draw(st.integers(1, 10))
    assume(min(window_shape((height, width), kernel, (1, 1), pad, dilation)) >= 1)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (draw(st.integers(1, 2)), height, width, draw(st.integers(1, 5)))
    return rng.normal(size=shape).astype(np.float32), params


def _attributes(params: dict[str, Any]) -> dict[str, Any]:
    return {
        "kernel_shape": params["kernel"],
        "strides": params["stride"],
        "pads": params["pad"],
        "dilations": params["dilation"],
        "ceil_mode": int(params["ceil_mode"]),
    }


@given(pools())
def test_max_pool(case: tuple[np.ndarray[Any, Any], dict[str, Any]]) -> None:
    x, params = case
    expected = run_onnx("MaxPool", [channel_first(x)], **_attributes(params))
    np.testing.assert_array_equal(evaluate(MaxPoolOp, [x], params), channel_last(expected))


@given(pools(), st.booleans())
def test_avg_pool(
    case: tuple[np.ndarray[Any, Any], dict[str, Any]], count_include_pad: bool
) -> None:
    x, params = case
    attributes: dict[str, Any] = {
        **_attributes(params),
        "count_include_pad": int(count_include_pad),
    }
    expected = run_onnx("AveragePool", [channel_first(x)], **attributes)
    actual = evaluate(AvgPoolOp, [x], {**params, "count_include_pad": count_include_pad})
    assert_close(actual, channel_last(expected))


def test_padding_never_wins_a_maximum() -> None:
    x = np.full((1, 2, 2, 1), -5.0, np.float32)
    result = evaluate(MaxPoolOp, [x], {"kernel": (3, 3), "pad": (1, 1, 1, 1)})
    np.testing.assert_array_equal(result, np.full((1, 2, 2, 1), -5.0, np.float32))

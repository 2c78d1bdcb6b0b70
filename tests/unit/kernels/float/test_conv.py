"""Convolution and its transpose against onnxruntime, on random shapes, groups, pads, dilations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hbir.dialects.hbir.conv import Conv2dOp, ConvTransposeOp
from hbir.kernels.types import Array
from hbir.kernels.window import window_shape
from tests.unit.kernels.float.onnx_oracle import (
    assert_close,
    channel_first,
    channel_last,
    evaluate,
    run_onnx,
)

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
small_pads = st.tuples(*[st.integers(0, 3)] * 4)


@st.composite
def convolutions(draw: st.DrawFn) -> dict[str, Any]:
    """Random extents of a convolution; depthwise ones and channel multipliers among them."""
    groups = draw(st.integers(1, 5))
    return {
        "batch": draw(st.integers(1, 2)),
        "size": draw(st.tuples(st.integers(1, 9), st.integers(1, 9))),
        "kernel": draw(pairs),
        "stride": draw(pairs),
        "dilation": draw(pairs),
        "groups": groups,
        "group_in": draw(st.sampled_from([1, 1, 2, 3])),
        "group_out": draw(st.integers(1, 3)),
        "bias": draw(st.booleans()),
        "seed": draw(st.integers(0, 2**32 - 1)),
    }


def _normal(rng: np.random.Generator, *shape: int) -> Array:
    return rng.normal(size=shape).astype(np.float32)


@given(convolutions(), small_pads)
def test_conv2d(case: dict[str, Any], pad: tuple[int, ...]) -> None:
    stride, dilation, groups = case["stride"], case["dilation"], case["groups"]
    assume(min(window_shape(case["size"], case["kernel"], stride, pad, dilation)) >= 1)
    rng = np.random.default_rng(case["seed"])
    x = _normal(rng, case["batch"], *case["size"], groups * case["group_in"])
    w = _normal(rng, groups * case["group_out"], *case["kernel"], case["group_in"])
    bias = [_normal(rng, w.shape[0])] if case["bias"] else []
    params = {"stride": stride, "pad": pad, "dilation": dilation, "group_num": groups}
    actual = evaluate(Conv2dOp, [x, w, *bias], params)
    expected = run_onnx(
        "Conv",
        [channel_first(x), channel_first(w), *bias],
        strides=stride,
        pads=pad,
        dilations=dilation,
        group=groups,
    )
    assert_close(actual, channel_last(expected))


def test_conv2d_negative_pads_crop() -> None:
    rng = np.random.default_rng(1)
    x, w = _normal(rng, 1, 9, 8, 3), _normal(rng, 4, 3, 3, 3)
    actual = evaluate(Conv2dOp, [x, w], {"pad": (-2, 1, -1, -3)})
    cropped = np.pad(x[:, 2:-1, :-3], ((0, 0), (0, 0), (1, 0), (0, 0)))
    assert_close(actual, evaluate(Conv2dOp, [cropped, w], {}))


@pytest.mark.parametrize("groups", [1, 40])
def test_conv2d_of_several_row_blocks(groups: int) -> None:
    """Images whose windows are worked off in blocks of rows: the seams must not show."""
    rng = np.random.default_rng(2)
    x = _normal(rng, 2, 97, 101, 40)
    w = _normal(rng, 40, 3, 3, 40 // groups)
    params = {"pad": (1, 1, 1, 1), "group_num": groups}
    actual = evaluate(Conv2dOp, [x, w], params)
    expected = run_onnx(
        "Conv", [channel_first(x), channel_first(w)], pads=(1, 1, 1, 1), group=groups
    )
    assert_close(actual, channel_last(expected))


@given(convolutions(), small_pads, st.tuples(st.integers(0, 2), st.integers(0, 2)))
def test_convtranspose(
    case: dict[str, Any], pad: tuple[int, ...], output_padding: tuple[int, int]
) -> None:
    stride, dilation, groups, size = (case[key] for key in ("stride", "dilation", "groups", "size"))
    for axis in range(2):
        assume(output_padding[axis] < stride[axis])
        full = (size[axis] - 1) * stride[axis] + (case["kernel"][axis] - 1) * dilation[axis] + 1
        assume(full - pad[axis] - pad[axis + 2] >= 1)
    rng = np.random.default_rng(case["seed"])
    x = _normal(rng, case["batch"], *size, groups * case["group_in"])
    w = _normal(rng, groups * case["group_in"], *case["kernel"], case["group_out"])
    bias = [_normal(rng, groups * case["group_out"])] if case["bias"] else []
    cut = (pad[0], pad[1], pad[2] - output_padding[0], pad[3] - output_padding[1])
    params = {"stride": stride, "pad": cut, "dilation": dilation, "group_num": groups}
    actual = evaluate(ConvTransposeOp, [x, w, *bias], params)
    expected = run_onnx(
        "ConvTranspose",
        [channel_first(x), channel_first(w), *bias],
        strides=stride,
        pads=pad,
        dilations=dilation,
        group=groups,
        output_padding=output_padding,
    )
    assert_close(actual, channel_last(expected))


def test_operands_may_be_read_only() -> None:
    rng = np.random.default_rng(3)
    x, w = _normal(rng, 1, 5, 5, 2), _normal(rng, 3, 3, 3, 2)
    before = x.copy()
    x.flags.writeable = w.flags.writeable = False
    evaluate(Conv2dOp, [x, w], {})
    np.testing.assert_array_equal(x, before)

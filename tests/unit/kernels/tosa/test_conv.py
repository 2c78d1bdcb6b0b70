"""Convolution, depthwise, transposed, fully connected: equal to TOSA's reference model, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from hbir.kernels.integer.conv import conv2d
from tests.unit.kernels.tosa.reference_model import Program, needs_reference_model

Array = npt.NDArray[Any]

pytestmark = needs_reference_model


def case(
    seed: int,
    x_shape: tuple[int, ...],
    w_shape: tuple[int, ...],
    x_dtype: npt.DTypeLike,
    extreme: bool,
) -> tuple[Array, Array, Array, Array, Array]:
    """x, w, bias, multipliers, shifts whose results mostly stay inside the output's range."""
    generator = np.random.default_rng(seed)
    info = np.iinfo(np.dtype(x_dtype).name)
    if extreme:
        x = generator.choice([int(info.min), int(info.max)], x_shape).astype(x_dtype)
        w = generator.choice([-127, 127], w_shape).astype(np.int8)
    else:
        x = generator.integers(int(info.min), int(info.max) + 1, x_shape).astype(x_dtype)
        w = generator.integers(-127, 128, w_shape).astype(np.int8)
    channels = w_shape[0]
    bias = generator.integers(-(2**15), 2**15, channels)
    multipliers = generator.integers(1 << 14, 1 << 15, channels)
    # An accumulator's deviation is about |x| |w| sqrt(terms); bring it to about a third of 127.
    deviation = float(x.std() * w.std() * np.sqrt(np.prod(w_shape[1:])))
    shifts = np.full(channels, round(np.log2(deviation / 40)) + 15)
    shifts += generator.integers(-1, 2, channels)
    return x, w, bias, multipliers, shifts


def qpp_of(bias: Array, multipliers: Array, shifts: Array, w: Array, zero_point: int) -> Array:
    """The qpp table with the input's zero point folded into the bias."""
    sums = w.reshape(w.shape[0], -1).sum(axis=1, dtype=np.int64)
    return np.stack([bias - zero_point * sums, multipliers, shifts], axis=1).astype(np.int32)


def wide_bias(bias: Array, x: Array) -> Array:
    """The bias as the model reads it: int32, or 48 bits held in int64."""
    return bias.astype(np.int32 if x.dtype == np.int8 else np.int64)


def finish(
    program: Program, value: str, multipliers: Array, shifts: Array, zero_point: int, shape: Any
) -> Array:
    """Requantize to i8 and run."""
    result = "tensor<" + "".join(f"{extent}x" for extent in shape) + "i8>"
    scaled = program.rescale(
        value,
        multipliers,
        shifts,
        input_zero_point=0,
        output_zero_point=zero_point,
        result=result,
    )
    return program.run(scaled)


def accumulator_type(shape: Any, element: str) -> str:
    return "tensor<" + "".join(f"{extent}x" for extent in shape) + f"{element}>"


@pytest.mark.parametrize("extreme", [False, True])
@pytest.mark.parametrize(
    ("kernel", "stride", "pad", "dilation"),
    [
        ((1, 1), (1, 1), (0, 0, 0, 0), (1, 1)),
        ((3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
        ((3, 3), (2, 2), (1, 1, 0, 1), (1, 1)),
        ((5, 3), (1, 2), (2, 0, 2, 0), (1, 1)),
        ((3, 3), (1, 1), (2, 2, 2, 2), (2, 2)),
    ],
)
def test_conv2d(
    tmp_path: Path,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    pad: tuple[int, int, int, int],
    dilation: tuple[int, int],
    extreme: bool,
):
    x, w, bias, multipliers, shifts = case(
        sum(kernel), (2, 8, 9, 24), (10, *kernel, 24), np.int8, extreme
    )
    zero, out_zero = 7, -21
    got = conv2d(
        x,
        w,
        qpp_of(bias, multipliers, shifts, w, zero),
        stride=stride,
        pad=pad,
        dilation=dilation,
        pad_value=zero,
        output_zero_point=out_zero,
    )
    program = Program(tmp_path, x, w, wide_bias(bias, x))
    zeros = [program.constant([zero], np.int8), program.constant([0], np.int8)]
    top, left, bottom, right = pad
    sums = program.op(
        "tosa.conv2d",
        [*program.values, *zeros],
        f"acc_type = i32, pad = array<i64: {top}, {bottom}, {left}, {right}>,"
        f" stride = array<i64: {stride[0]}, {stride[1]}>,"
        f" dilation = array<i64: {dilation[0]}, {dilation[1]}>",
        accumulator_type(got.shape, "i32"),
    )
    expected = finish(program, sums, multipliers, shifts, out_zero, got.shape)
    assert len(np.unique(expected)) > 50, "the case must exercise the output's range"
    np.testing.assert_array_equal(got, expected)


def test_conv2d_of_int16(tmp_path: Path):
    x, w, bias, multipliers, shifts = case(3, (1, 6, 6, 32), (8, 3, 3, 32), np.int16, False)
    qpp = qpp_of(bias, multipliers, shifts, w, 0)
    got = conv2d(x, w, qpp, pad=(1, 1, 1, 1))
    program = Program(tmp_path, x, w, wide_bias(bias, x))
    # TOSA's 48-bit tensors travel as int64 files, with a type of their own.
    program.set_type(program.values[2], "tensor<8xi48>")
    zeros = [program.constant([0], np.int16), program.constant([0], np.int8)]
    sums = program.op(
        "tosa.conv2d",
        [*program.values, *zeros],
        "acc_type = i48, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 1, 1>,"
        " dilation = array<i64: 1, 1>",
        accumulator_type(got.shape, "i48"),
    )
    expected = finish(program, sums, multipliers, shifts, 0, got.shape)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("extreme", [False, True])
@pytest.mark.parametrize("multiplicity", [1, 2])
def test_depthwise(tmp_path: Path, multiplicity: int, extreme: bool):
    channels = 12
    x, w, bias, multipliers, shifts = case(
        11, (1, 9, 9, channels), (channels * multiplicity, 3, 3, 1), np.int8, extreme
    )
    zero, out_zero = -9, 4
    got = conv2d(
        x,
        w,
        qpp_of(bias, multipliers, shifts, w, zero),
        stride=(2, 2),
        pad=(1, 1, 1, 1),
        group_num=channels,
        pad_value=zero,
        output_zero_point=out_zero,
    )
    # TOSA's layout is (KH, KW, C, M), output channel c * M + m.
    weights = w[..., 0].reshape(channels, multiplicity, 3, 3).transpose(2, 3, 0, 1)
    program = Program(tmp_path, x, np.ascontiguousarray(weights), wide_bias(bias, x))
    zeros = [program.constant([zero], np.int8), program.constant([0], np.int8)]
    sums = program.op(
        "tosa.depthwise_conv2d",
        [*program.values, *zeros],
        "acc_type = i32, pad = array<i64: 1, 1, 1, 1>, stride = array<i64: 2, 2>,"
        " dilation = array<i64: 1, 1>",
        accumulator_type(got.shape, "i32"),
    )
    expected = finish(program, sums, multipliers, shifts, out_zero, got.shape)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(("kernel", "stride", "cut"), [(2, 2, 0), (3, 2, 1), (4, 2, 1), (3, 1, 0)])
def test_transposed(tmp_path: Path, kernel: int, stride: int, cut: int):
    """A transposed convolution is a convolution of the spread input with the flipped kernel."""
    x, w, bias, multipliers, shifts = case(5, (1, 5, 6, 8), (6, kernel, kernel, 8), np.int8, False)
    zero = 13
    edge = kernel - 1 - cut
    got = conv2d(
        x,
        np.ascontiguousarray(w[:, ::-1, ::-1]),
        qpp_of(bias, multipliers, shifts, w, zero),
        pad=(edge, edge, edge, edge),
        input_dilation=(stride, stride),
        pad_value=zero,
    )
    program = Program(tmp_path, x, w, wide_bias(bias, x))
    zeros = [program.constant([zero], np.int8), program.constant([0], np.int8)]
    sums = program.op(
        "tosa.transpose_conv2d",
        [*program.values, *zeros],
        f"acc_type = i32, out_pad = array<i64: {-cut}, {-cut}, {-cut}, {-cut}>,"
        f" stride = array<i64: {stride}, {stride}>",
        accumulator_type(got.shape, "i32"),
    )
    expected = finish(program, sums, multipliers, shifts, 0, got.shape)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("extreme", [False, True])
def test_fully_connected(tmp_path: Path, extreme: bool):
    """A matrix product is a 1x1 convolution; 2048 terms need two exact float32 chunks."""
    x, w, bias, multipliers, shifts = case(2, (6, 1, 1, 2048), (20, 1, 1, 2048), np.int8, extreme)
    zero, out_zero = -4, 30
    qpp = qpp_of(np.zeros_like(bias), multipliers, shifts, w, zero)
    got = conv2d(x, w, qpp, output_zero_point=out_zero)
    matrix = np.ascontiguousarray(w.reshape(20, 2048).T)[None]
    program = Program(tmp_path, x.reshape(1, 6, 2048), matrix)
    zeros = [program.constant([zero], np.int8), program.constant([0], np.int8)]
    sums = program.op(
        "tosa.matmul", [*program.values, *zeros], "", accumulator_type((1, 6, 20), "i32")
    )
    expected = finish(program, sums, multipliers, shifts, out_zero, (1, 6, 20))
    np.testing.assert_array_equal(got.reshape(1, 6, 20), expected)

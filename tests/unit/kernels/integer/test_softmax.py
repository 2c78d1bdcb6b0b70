"""bpu.softmax against plain Python integers, and within its declared bound of float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.kernels.integer.softmax import reciprocal, softmax
from hbir.kernels.norm_parameters import (
    SoftmaxParameters,
    softmax_error_bound,
    softmax_parameters,
)
from hbir.kernels.parameters import ParameterError
from tests.unit.kernels.integer import oracle
from tests.unit.kernels.integer.strategies import tensors

OUTPUTS: list[tuple[float, int, type[np.signedinteger[Any]]]] = [
    (1 / 127, 0, np.int8),
    (1 / 256, -128, np.int8),
    (1 / 32767, 0, np.int16),
]


def run(x: Any, input_scale: float, output: tuple[float, int, type], dim: int = -1) -> Any:
    """Integer softmax of codes x."""
    scale, zero_point, dtype = output
    p = softmax_parameters(input_scale, scale, x.shape[dim], input_bits=8 * x.itemsize)
    return softmax(
        x,
        p.exp_table,
        p.reciprocal_table,
        dim=dim,
        multiplier=p.multiplier,
        shift=p.shift,
        output_zero_point=zero_point,
        exp_multiplier=p.exp_multiplier,
        exp_shift=p.exp_shift,
        dtype=dtype,
    )


def plain_exponential(distance: int, p: SoftmaxParameters) -> int:
    """2^(22 - u), u having 16 fraction bits."""
    if p.exp_shift > 0:
        power = oracle.round_half_up(distance * p.exp_multiplier, p.exp_shift)
    else:
        power = distance * p.exp_multiplier << -p.exp_shift
    whole, rest = divmod(power, 1 << 16)
    index, fraction = divmod(rest, 1 << 7)
    here, following = int(p.exp_table[index]), int(p.exp_table[index + 1])
    value = here - oracle.round_half_up((here - following) * fraction, 7)
    return oracle.round_half_up(value, min(whole, 31)) if whole else value


def plain(
    row: list[int], input_scale: float, output: tuple[float, int, type], bits: int = 8
) -> list[int]:
    """The formula of docs/arithmetic.md for one row, in Python integers."""
    p = softmax_parameters(input_scale, output[0], len(row), input_bits=bits)
    if bits == 8:
        exponentials = [int(p.exp_table[max(row) - v]) for v in row]
    else:
        exponentials = [plain_exponential(max(row) - v, p) for v in row]
    total = sum(exponentials)
    n = total.bit_length() - 15
    mantissa = oracle.round_half_up(total, n)
    index, fraction = divmod(mantissa - 2**14, 2**5)
    here = int(p.reciprocal_table[index])
    following = int(p.reciprocal_table[min(index + 1, 512)])
    r = here - oracle.round_half_up((here - following) * fraction, 5)
    shift = 29 + n + p.shift
    return [
        oracle.saturated(oracle.round_half_up(e * r * p.multiplier, shift) + output[1], output[2])
        for e in exponentials
    ]


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(OUTPUTS), st.floats(1e-3, 1), st.integers(1, 40))
def test_softmax_equals_plain_integers(
    data: st.DataObject, output: tuple[float, int, type], input_scale: float, classes: int
):
    x = data.draw(tensors((3, classes)))
    got = run(x, input_scale, output)
    assert got.tolist() == [plain([int(v) for v in row], input_scale, output) for row in x]


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(OUTPUTS), st.floats(1e-6, 10), st.integers(1, 40))
def test_softmax_of_si16_equals_plain_integers(
    data: st.DataObject, output: tuple[float, int, type], input_scale: float, classes: int
):
    x = data.draw(tensors((3, classes), np.int16))
    got = run(x, input_scale, output)
    assert got.tolist() == [plain([int(v) for v in row], input_scale, output, 16) for row in x]


@pytest.mark.parametrize("classes", [1, 2, 197, 20000])
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("input_scale", [2e-5, 3e-4, 0.01])
@pytest.mark.parametrize("spread", [30, 3000, 30000])
def test_softmax_of_si16_is_within_its_declared_bound(
    classes: int, output: tuple[float, int, type], input_scale: float, spread: int
):
    generator = np.random.default_rng(classes)
    x = np.clip(generator.normal(0, spread, (4, classes)), -32768, 32767).astype(np.int16)
    got = run(x, input_scale, output)
    scale, zero_point, dtype = output
    exponential = np.exp((x - x.max(axis=1, keepdims=True).astype(float)) * input_scale)
    real = exponential / exponential.sum(axis=1, keepdims=True) / scale + zero_point
    info = np.iinfo(np.dtype(dtype).name)
    error = np.abs(got - np.clip(real, info.min, info.max))
    assert error.max() <= softmax_error_bound(scale, classes, input_bits=16)


@pytest.mark.parametrize("classes", [1, 2, 3, 10, 1000, 18385, 20000])
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("input_scale", [0.005, 0.05, 0.3])
@pytest.mark.parametrize("shape", ["normal", "flat", "peak", "halves"])
def test_softmax_is_within_its_declared_bound(
    classes: int, output: tuple[float, int, type], input_scale: float, shape: str
):
    generator = np.random.default_rng(classes)
    x = {
        "normal": np.clip(generator.normal(0, 50, (2, classes)), -128, 127),
        "flat": np.full((2, classes), 17),
        "peak": np.where(np.arange(classes) == classes // 2, 127, -128)[None],
        "halves": np.where(np.arange(classes) % 2, 3, 1)[None],
    }[shape].astype(np.int8)
    got = run(x, input_scale, output)
    scale, zero_point, dtype = output
    exponential = np.exp((x - x.max(axis=1, keepdims=True).astype(float)) * input_scale)
    real = exponential / exponential.sum(axis=1, keepdims=True) / scale + zero_point
    info = np.iinfo(np.dtype(dtype).name)
    error = np.abs(got - np.clip(real, info.min, info.max))
    assert error.max() <= softmax_error_bound(scale, classes)


def test_a_tail_of_small_probabilities_counts():
    """20,000 exponentials that would each round to 0 on 16 bits hold a tenth of the sum."""
    x = np.full((1, 20000), -128, np.int8)
    x[0, 0] = 127
    input_scale = 12.0 / 255
    real = 1 / (1 + 19999 * np.exp(-12.0))
    assert real < 0.9
    got = run(x, input_scale, (1 / 127, 0, np.int8))
    assert abs(int(got[0, 0]) - real * 127) <= softmax_error_bound(1 / 127, 20000)


def test_thousands_of_classes_keep_their_direction():
    generator = np.random.default_rng(5)
    x = np.clip(generator.normal(-40, 20, (4, 18385)), -128, 127).astype(np.int8)
    x[np.arange(4), [5, 900, 17000, 3]] = [100, 127, 90, 110]
    got = run(x, 0.12, OUTPUTS[1]).astype(float) + 128
    exponential = np.exp(x * 0.12)
    real = exponential / exponential.sum(axis=1, keepdims=True)
    norms = np.linalg.norm(got, axis=1) * np.linalg.norm(real, axis=1)
    assert np.all((got * real).sum(axis=1) / norms > 0.999)
    assert np.all(got.argmax(axis=1) == real.argmax(axis=1))


@pytest.mark.parametrize("dim", [0, 1, -1, 2])
def test_softmax_over_any_dimension(dim: int):
    x = np.random.default_rng(1).integers(-128, 128, (4, 5, 6)).astype(np.int8)
    got = run(x, 0.04, OUTPUTS[0], dim)
    moved = run(np.ascontiguousarray(np.moveaxis(x, dim, -1)), 0.04, OUTPUTS[0])
    np.testing.assert_array_equal(got, np.moveaxis(moved, -1, dim))


@given(st.integers(2**15, 2**48 - 1))
def test_reciprocal_is_within_its_declared_error(value: int):
    table = softmax_parameters(0.1, 1 / 127, 10).reciprocal_table
    r, n = reciprocal(np.array([value]), table)
    approximation = int(r[0]) * 2.0 ** -(29 + int(n[0]))
    assert abs(approximation * value - 1) <= 2.0**-13


def test_too_many_classes_are_refused():
    with pytest.raises(ParameterError, match="131072 classes"):
        softmax_parameters(0.1, 1 / 127, 1 << 17)


def test_a_coarse_output_scale_is_refused():
    with pytest.raises(ParameterError, match="too coarse"):
        softmax_parameters(0.1, 0.5, 10)


def test_the_widest_sum_keeps_its_shift_in_range():
    classes = (1 << 17) - 1
    got = run(np.zeros((1, classes), np.int8), 0.1, (1 / 33, 0, np.int8))
    assert np.all(got == 0)

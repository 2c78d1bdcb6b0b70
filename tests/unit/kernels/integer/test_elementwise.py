"""Element-wise integer ops against plain Python integers, and against the real-valued op."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.kernels.integer.elementwise import add, maximum, minimum, mul, prelu
from hbir.kernels.parameters import add_parameters, mul_parameters, prelu_parameters
from tests.unit.kernels.integer import oracle
from tests.unit.kernels.integer.strategies import MULTIPLIERS, SHIFTS, SI8, tensors

DTYPES = st.sampled_from([np.int8, np.int16])
CLIPS = st.sampled_from([None, (0, 127), (-7, 9)])
SCALES = st.floats(1e-4, 10, allow_nan=False)


@settings(deadline=None)
@given(st.data(), DTYPES, DTYPES, SHIFTS, SI8, CLIPS)
def test_add_equals_plain_integers(
    data: st.DataObject,
    in_dtype: type[np.signedinteger[Any]],
    dtype: type[np.signedinteger[Any]],
    shift: int,
    zero_point: int,
    clip: tuple[int, int] | None,
):
    x = data.draw(tensors((2, 3, 4), in_dtype))
    y = data.draw(tensors((3, 1), in_dtype))
    mx = data.draw(MULTIPLIERS)
    my = data.draw(st.integers(-mx, mx))
    bias = data.draw(st.integers(-(2**31), 2**31))
    got = add(
        x,
        y,
        multipliers=(mx, my),
        shift=shift,
        bias=bias,
        output_zero_point=zero_point,
        clip=clip,
        dtype=dtype,
    )
    wide = np.broadcast_to(y, x.shape)
    for index in np.ndindex(*x.shape):
        total = int(x[index]) * mx + int(wide[index]) * my + bias
        value = oracle.round_half_up(total, shift) + zero_point
        assert int(got[index]) == oracle.saturated(value, dtype, clip)


@pytest.mark.parametrize("shift", [2, 30, 31, 32, 62])
@pytest.mark.parametrize("bias", [2**29, 2**29 + 1, 2**31 - 2**22, 2**31])
@pytest.mark.parametrize("sign", [-1, 1])
def test_add_is_exact_where_int32_ends(shift: int, bias: int, sign: int):
    x = np.array([127 if sign > 0 else -128], np.int8)
    got = add(x, x, multipliers=(32767, 32767), shift=shift, bias=sign * bias, dtype=np.int16)
    total = 2 * int(x[0]) * 32767 + sign * bias
    assert int(got[0]) == oracle.saturated(oracle.round_half_up(total, shift), np.int16)


@settings(deadline=None)
@given(st.data(), DTYPES, DTYPES, MULTIPLIERS, SHIFTS, SI8, CLIPS)
def test_mul_equals_plain_integers(
    data: st.DataObject,
    in_dtype: type[np.signedinteger[Any]],
    dtype: type[np.signedinteger[Any]],
    multiplier: int,
    shift: int,
    zero_point: int,
    clip: tuple[int, int] | None,
):
    x = data.draw(tensors((2, 1, 4), in_dtype))
    y = data.draw(tensors((3, 4), in_dtype))
    zero_points = data.draw(st.tuples(SI8, SI8))
    got = mul(
        x,
        y,
        multiplier=multiplier,
        shift=shift,
        zero_points=zero_points,
        output_zero_point=zero_point,
        clip=clip,
        dtype=dtype,
    )
    assert got.shape == (2, 3, 4)
    left, right = np.broadcast_arrays(x, y)
    for index in np.ndindex(*got.shape):
        product = (int(left[index]) - zero_points[0]) * (int(right[index]) - zero_points[1])
        value = oracle.round_half_up(product * multiplier, shift) + zero_point
        assert int(got[index]) == oracle.saturated(value, dtype, clip)


@settings(deadline=None)
@given(st.data(), st.integers(0, (1 << 15) - 1), SHIFTS, SI8, SI8)
def test_prelu_equals_plain_integers(
    data: st.DataObject, multiplier: int, shift: int, input_zero_point: int, zero_point: int
):
    x = data.draw(tensors((2, 5, 3)))
    slopes: list[int] = data.draw(st.lists(st.integers(-32767, 32767), min_size=3, max_size=3))
    got = prelu(
        x,
        np.array(slopes, np.int32),
        multiplier=multiplier,
        shift=shift,
        input_zero_point=input_zero_point,
        output_zero_point=zero_point,
    )
    for index in np.ndindex(*x.shape):
        value = int(x[index]) - input_zero_point
        factor = multiplier if value >= 0 else slopes[int(index[-1])]
        expected = oracle.round_half_up(value * factor, shift) + zero_point
        assert int(got[index]) == oracle.saturated(expected, np.int8)


@given(st.data())
def test_max_and_min_pick_one_of_the_two(data: st.DataObject):
    x, y = data.draw(tensors((4, 3))), data.draw(tensors((3,)))
    largest, smallest = maximum(x, y), minimum(x, y)
    for index in np.ndindex(4, 3):
        pair = sorted((int(x[index]), int(y[index[1]])))
        assert [int(smallest[index]), int(largest[index])] == pair


@settings(deadline=None)
@given(SCALES, SCALES, SI8, SI8, SI8, st.booleans(), st.integers(0, 2**32 - 1))
def test_add_is_within_its_declared_error(
    lhs_scale: float,
    rhs_scale: float,
    lhs_zero: int,
    rhs_zero: int,
    out_zero: int,
    subtract: bool,
    seed: int,
):
    """Half a step for the rounding, and 2^-15 of each operand's magnitude for its multiplier."""
    generator = np.random.default_rng(seed)
    x, y = generator.integers(-128, 128, (2, 500)).astype(np.int8)
    output_scale = max(lhs_scale, rhs_scale) * float(generator.uniform(0.5, 4))
    parameters = add_parameters(
        lhs_scale,
        rhs_scale,
        output_scale,
        lhs_zero_point=lhs_zero,
        rhs_zero_point=rhs_zero,
        subtract=subtract,
    )
    got = add(x, y, output_zero_point=out_zero, **parameters)
    left = (x.astype(float) - lhs_zero) * lhs_scale / output_scale
    right = (y.astype(float) - rhs_zero) * rhs_scale / output_scale
    real = left + (-right if subtract else right) + out_zero
    largest = max(lhs_scale, rhs_scale) / output_scale
    bound = 0.5 + 2 * 255 * largest * 2.0**-15 + 1e-9
    assert np.all(np.abs(got - np.clip(real, -128, 127)) <= bound)


@settings(deadline=None)
@given(SCALES, SCALES, SI8, SI8, st.integers(0, 2**32 - 1))
def test_mul_is_within_its_declared_error(
    lhs_scale: float, rhs_scale: float, lhs_zero: int, rhs_zero: int, seed: int
):
    generator = np.random.default_rng(seed)
    x, y = generator.integers(-128, 128, (2, 500)).astype(np.int8)
    output_scale = lhs_scale * rhs_scale * float(generator.uniform(10, 500))
    parameters = mul_parameters(lhs_scale, rhs_scale, output_scale)
    got = mul(x, y, zero_points=(lhs_zero, rhs_zero), **parameters)
    product = (x.astype(float) - lhs_zero) * (y.astype(float) - rhs_zero)
    real = product * lhs_scale * rhs_scale / output_scale
    bound = 0.5 + np.abs(real) * 2.0**-15 + 1e-9
    assert np.all(np.abs(got - np.clip(real, -128, 127)) <= bound)


@pytest.mark.parametrize("slopes", [[0.25], [0.1, -0.3, 3.0], [0.0, 1.0, 1e-6]])
def test_prelu_is_within_its_declared_error(slopes: list[float]):
    x = np.tile(np.arange(-128, 128, dtype=np.int8)[:, None], (1, len(slopes)))
    parameters, table = prelu_parameters(0.02, 0.03, slopes)
    got = prelu(x, table, input_zero_point=5, output_zero_point=-9, **parameters)
    v = (x.astype(float) - 5) * 0.02 / 0.03
    real = np.where(v >= 0, v, v * np.array(slopes)) - 9
    bound = 0.5 + np.abs(v) * max(1, *map(abs, slopes), 1) * 2.0**-15 + 1e-9
    assert np.all(np.abs(got - np.clip(real, -128, 127)) <= bound)


def test_tensors_without_dimensions():
    three = np.array(3, np.int8)
    got = add(three, three, multipliers=(16384, 16384), shift=14)
    assert got.shape == ()
    assert int(got) == 6
    assert int(mul(three, three, multiplier=16384, shift=14, output_zero_point=1)) == 10

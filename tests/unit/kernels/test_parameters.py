"""Integer parameters derived from real ones: ranges, errors, edges, refusals."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hbir.kernels import norm_parameters
from hbir.kernels import parameters as p
from hbir.kernels.integer.bounds import accumulator_bound
from hbir.kernels.integer.conv import conv2d
from hbir.kernels.integer.requantize import requantize

ARITHMETIC = Path(__file__).parents[3] / "docs" / "arithmetic.md"
RATIOS = st.floats(2.0**-47, 8191.0, allow_nan=False)


@given(RATIOS)
def test_multipliers_are_normalised_and_near(ratio: float):
    multiplier, shift = p.scalar_multiplier_and_shift(ratio)
    assert 1 << 14 <= multiplier < 1 << 15
    assert 2 <= shift <= 62
    held = Fraction(multiplier, 1 << shift)
    assert abs(held - Fraction(ratio)) <= Fraction(ratio) / 2**15


@pytest.mark.parametrize("exponent", [-40, -3, 0, 5])
def test_rounding_up_to_two_to_the_fifteen_renormalises(exponent: int):
    ratio = math.ldexp(1 - 2.0**-30, exponent)
    multiplier, shift = p.scalar_multiplier_and_shift(ratio)
    assert (multiplier, shift) == (1 << 14, 14 - exponent)


@given(st.floats(0, 2.0**-49), st.integers(-(2**47) + 1, 2**47 - 1))
def test_vanishing_ratios_round_to_zero_exactly(ratio: float, value: int):
    multiplier, shift = p.scalar_multiplier_and_shift(ratio)
    assert (multiplier, shift) == (0, 2)
    assert math.floor(value * Fraction(ratio) + Fraction(1, 2)) == 0
    assert int(requantize(np.array([value]), multiplier, shift)[0]) == 0


@given(st.floats(8192, 1e30))
def test_excessive_ratios_saturate_exactly_in_eight_bits(ratio: float):
    multiplier, shift = p.scalar_multiplier_and_shift(ratio, output_bits=8)
    got = requantize(np.array([-(2**31), -1, 0, 1, 2**31 - 1]), multiplier, shift)
    assert np.all(np.abs(got[[0, 1, 3, 4]]) > 255)
    assert got[2] == 0
    with pytest.raises(p.ParameterError, match="widen its calibrated range"):
        p.scalar_multiplier_and_shift(ratio, output_bits=16)


@pytest.mark.parametrize("ratio", [-1.0, math.inf, math.nan])
def test_impossible_ratios_are_refused(ratio: float):
    with pytest.raises(p.ParameterError, match="finite and not negative"):
        p.multiplier_and_shift([1.0, ratio])


@st.composite
def layers(draw: st.DrawFn) -> dict[str, Any]:
    """A float convolution's weights with vanishing and empty channels, scales, bias, residual."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    channels = 6
    weights = generator.normal(0, 1, (channels, 3, 3, 4)).astype(np.float32)
    weights *= 10.0 ** generator.uniform(-30, 1, (channels, 1, 1, 1)).astype(np.float32)
    weights[draw(st.integers(0, channels - 1))] = 0
    return {
        "weights": weights,
        "bias": generator.normal(0, 1, channels) if draw(st.booleans()) else None,
        "input_scale": float(10.0 ** generator.uniform(-4, 1)),
        "output_scale": float(10.0 ** generator.uniform(-3, 1)),
        "input_zero_point": int(generator.integers(-128, 128)),
        "residual": (
            p.Residual(float(10.0 ** generator.uniform(-4, 1)), int(generator.integers(-128, 128)))
            if draw(st.booleans())
            else None
        ),
    }


@settings(max_examples=80, deadline=None)
@given(layers(), st.integers(0, 2**32 - 1))
def test_a_convolution_is_near_the_real_one(layer: dict[str, Any], seed: int):
    """Every integer in range, the accumulator proven, the output within its declared error."""
    weights, bias, residual = layer["weights"], layer["bias"], layer["residual"]
    scales = p.floor_weight_scales(
        np.abs(weights).reshape(len(weights), -1).max(axis=1) / 127,
        bias=bias,
        input_scale=layer["input_scale"],
        output_scale=layer["output_scale"],
        residual=residual,
    )
    quantized = p.quantize_weights(weights, scales)
    assert quantized.min() >= -127
    arguments = {name: layer[name] for name in ("bias", "input_scale", "input_zero_point")}
    qpp = p.conv_qpp(
        quantized, scales, output_scale=layer["output_scale"], residual=residual, **arguments
    )
    assert np.all(np.abs(qpp[:, 0].astype(np.int64)) < 1 << 30)
    live = qpp[:, 1] != 0
    assert np.all((qpp[live, 1] >= 1 << 14) & (qpp[live, 1] < 1 << 15))
    assert np.all((qpp[:, 2] >= 2) & (qpp[:, 2] <= 62))
    bound = accumulator_bound(quantized, qpp, residual_dtype=np.int8 if residual else None)
    assert np.all(bound < 1 << 31)

    generator = np.random.default_rng(seed)
    x = generator.integers(-128, 128, (1, 3, 3, 4)).astype(np.int8)
    r = generator.integers(-128, 128, (1, 1, 1, 6)).astype(np.int8)
    got = conv2d(x, quantized, qpp, r if residual else None)
    # The real op on the weights as quantized: what the integers promise to compute.
    dequantized = quantized * scales.astype(np.float64)[:, None, None, None]
    real_x = (x.astype(float) - layer["input_zero_point"]) * layer["input_scale"]
    real = np.einsum("nhwc,ohwc->no", real_x, dequantized).reshape(-1)
    if bias is not None:
        real = real + bias
    accumulator_scale = np.maximum(scales.astype(np.float64) * layer["input_scale"], 1e-300)
    units = 0.5  # the bias is rounded to the accumulator's scale
    if residual is not None:
        real_r = (r.reshape(-1).astype(float) - residual.zero_point) * residual.scale
        real = real + real_r
        units = 1.5 + 256 * residual.scale / accumulator_scale * 2.0**-15
    steps = real / layer["output_scale"]
    per_unit = accumulator_scale / layer["output_scale"]
    magnitude = np.abs(steps) + units * per_unit
    allowed = 0.5 + units * per_unit + magnitude * 2.0**-15 + 1e-6
    error = np.abs(got.reshape(-1) - np.clip(steps, -128, 127))
    saturated_anyway = per_unit > 8191
    assert np.all((error <= allowed) | saturated_anyway)


def test_a_channel_of_nothing_has_multiplier_zero():
    weights = np.zeros((2, 1, 1, 4), np.int8)
    scales = p.floor_weight_scales([0.0, 0.0], bias=[0.0, 0.0], input_scale=0.1, output_scale=0.1)
    assert scales.tolist() == [0, 0]
    qpp = p.conv_qpp(weights, scales, bias=[0.0, 0.0], input_scale=0.1, output_scale=0.1)
    assert qpp.tolist() == [[0, 0, 2], [0, 0, 2]]


def test_a_channel_without_weights_still_gives_its_bias():
    bias = [3.0, -1e-3]
    scales = p.floor_weight_scales([0.0, 1e-38], bias=bias, input_scale=0.1, output_scale=0.05)
    weights = p.quantize_weights(np.full((2, 1, 1, 4), 1e-36, np.float32), scales)
    qpp = p.conv_qpp(weights, scales, bias=bias, input_scale=0.1, output_scale=0.05)
    assert np.all(np.abs(qpp[:, 0]) > 1 << 28), "the bias keeps its precision"
    x = np.full((1, 1, 1, 4), 127, np.int8)
    assert conv2d(x, weights, qpp).reshape(-1).tolist() == [60, 0]


def test_unfloored_scales_are_refused():
    weights = np.ones((1, 1, 1, 1), np.int8)
    with pytest.raises(p.ParameterError, match=r"bias of channel 0 .* beyond 2\^30"):
        p.conv_qpp(weights, [1e-12], bias=[5.0], input_scale=0.1, output_scale=0.1)
    with pytest.raises(p.ParameterError, match="channel 0 has weight scale 0 but a bias"):
        p.conv_qpp(weights * 0, [0.0], bias=[5.0], input_scale=0.1, output_scale=0.1)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf])
def test_impossible_scales_are_refused(scale: float):
    with pytest.raises(p.ParameterError, match="positive and finite"):
        p.rescale_parameters(0.1, scale)
    with pytest.raises(p.ParameterError, match="positive and finite"):
        p.conv_qpp(np.ones((1, 1)), [0.1], bias=None, input_scale=scale, output_scale=0.1)


def test_a_raw_convolution_has_an_identity_pair():
    weights = np.ones((1, 1, 1, 1), np.int8)
    qpp = p.conv_qpp(weights, [0.1], bias=[0.05], input_scale=0.1, output_scale=None)
    assert qpp.tolist() == [[5, 1 << 14, 14]]


@given(RATIOS, RATIOS, st.integers(-128, 127), st.integers(-128, 127), st.booleans())
def test_add_normalises_its_larger_multiplier(
    lhs: float, rhs: float, lhs_zero: int, rhs_zero: int, subtract: bool
):
    assume(2.0**-40 < max(lhs, rhs) < 8000)
    got = p.add_parameters(
        lhs, rhs, 1.0, lhs_zero_point=lhs_zero, rhs_zero_point=rhs_zero, subtract=subtract
    )
    mx, my = got["multipliers"]
    assert 1 << 14 <= max(abs(mx), abs(my)) < 1 << 15
    assert (my <= 0) == subtract or my == 0
    assert got["bias"] == -(lhs_zero * mx + rhs_zero * my)
    assert abs(mx * 2.0 ** -got["shift"] - lhs) <= max(lhs, rhs) * 2.0**-14


def test_add_refuses_a_tiny_output_scale():
    with pytest.raises(p.ParameterError, match="widen the output's calibrated range"):
        p.add_parameters(1.0, 1.0, 1e-5)


def test_avg_pool_has_a_row_per_valid_count():
    table = p.avg_pool_qpp(0.1, 0.1, 9, exclude_pad=True)
    assert table.shape == (10, 2)
    assert table[0].tolist() == [0, 2]
    held = table[1:, 0] * 2.0 ** -table[1:, 1]
    np.testing.assert_allclose(held, 1 / np.arange(1, 10), rtol=2.0**-15)
    assert p.avg_pool_qpp(0.1, 0.1, 9, exclude_pad=False).shape == (1, 2)


@pytest.mark.parametrize(
    ("low", "high", "zero", "expected"),
    [
        (0.0, 6.0, 0, (0, 48)),
        (0.0, None, -20, (-20, 127)),
        (None, None, 5, (-128, 127)),
        (-math.inf, 1e9, 0, (-128, 127)),
        (0.3125, 0.4375, 0, (2, 4)),  # 2.5 and 3.5 round to even
    ],
)
def test_clip_bounds_are_rounded_once(
    low: float | None, high: float | None, zero: int, expected: tuple[int, int]
):
    assert p.clip_bounds(low, high, 0.125, zero) == expected


def test_the_document_states_the_constants():
    """Each row of docs/arithmetic.md's table of constants has the code's values."""
    rows = re.findall(r"^\| .+? \| ([−\d, ]+) \| (`[A-Z_`, ]+) \|$", ARITHMETIC.read_text(), re.M)
    stated: dict[str, int] = {}
    for values, names in rows:
        numbers = [int(value.replace("−", "-")) for value in values.split(",")]
        stated.update(zip(re.findall(r"[A-Z_]+", names), numbers, strict=True))
    assert len(stated) >= 15
    assert stated == {name: {**vars(norm_parameters), **vars(p)}[name] for name in stated}

"""bpu.layernorm against plain Python integers, and within its declared bound of float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.kernels.integer.layernorm import bit_length, inverse_root, layernorm
from hbir.kernels.norm_parameters import (
    LayernormParameters,
    layernorm_error_bound,
    layernorm_parameters,
)
from hbir.kernels.parameters import ParameterError
from tests.unit.kernels.integer import oracle
from tests.unit.kernels.integer.strategies import tensors

DTYPES = st.sampled_from([np.int8, np.int16])
TABLE = layernorm_parameters(0.1, 0.1, 4, eps=0.0, weight=1.0, bias=0.0).rsqrt_table


def run(x: Any, p: LayernormParameters, **properties: Any) -> Any:
    """Integer layer norm of codes x."""
    return layernorm(x, p.affine, p.rsqrt_table, shift=p.shift, epsilon=p.epsilon, **properties)


def plain(
    row: list[int], p: LayernormParameters, center: bool, zero_points: tuple[int, int], dtype: Any
) -> list[int]:
    """The formula of docs/arithmetic.md for one row, in Python integers."""
    count = len(row)
    values = row if center else [v - zero_points[0] for v in row]
    total = sum(values) if center else 0
    variance = max(count * sum(v * v for v in values) - total * total + p.epsilon, 1)
    k = (variance.bit_length() - 16 + 1) // 2
    mantissa = oracle.round_half_up(variance, 2 * k) if k > 0 else variance << (-2 * k)
    index, fraction = divmod(mantissa - 2**14, 2**6)
    here = int(p.rsqrt_table[index])
    r = here - oracle.round_half_up((here - int(p.rsqrt_table[min(index + 1, 768)])) * fraction, 6)
    result: list[int] = []
    for value, (m, b) in zip(values, p.affine.tolist(), strict=True):
        product = (count * value - total) * r
        t = oracle.round_half_up(product, 3 + k) if 3 + k > 0 else product << -(3 + k)
        y = oracle.round_half_up(t * m + (b << (p.shift - 8)), p.shift) + zero_points[1]
        result.append(oracle.saturated(y, dtype))
    return result


@settings(max_examples=80, deadline=None)
@given(st.data(), DTYPES, DTYPES, st.integers(1, 40), st.booleans(), st.floats(1e-4, 1.0))
def test_layernorm_equals_plain_integers(
    data: st.DataObject, dtype: Any, output: Any, count: int, center: bool, input_scale: float
):
    x = data.draw(tensors((3, count), dtype))
    seed = data.draw(st.integers(0, 1000))
    weight, bias = np.random.default_rng(seed).normal(size=(2, count))
    output_scale = 4 / np.iinfo(output).max
    p = layernorm_parameters(input_scale, output_scale, count, eps=1e-5, weight=weight, bias=bias)
    zero_points = (0 if center else data.draw(st.integers(-128, 127)), 3)
    got = run(
        x,
        p,
        center=center,
        input_zero_point=zero_points[0],
        output_zero_point=3,
        dtype=output,
    )
    assert got.tolist() == [plain(row, p, center, zero_points, output) for row in x.tolist()]


@pytest.mark.parametrize("dtype", [np.int8, np.int16])
@pytest.mark.parametrize("output", [np.int8, np.int16])
@pytest.mark.parametrize("count", [2, 3, 64, 384, 4096])
@pytest.mark.parametrize("shape", ["normal", "narrow", "outlier", "offset"])
@pytest.mark.parametrize("center", [True, False])
def test_layernorm_is_within_its_declared_bound(
    dtype: Any, output: Any, count: int, shape: str, center: bool
):
    generator = np.random.default_rng(count)
    info = np.iinfo(dtype)
    normal = generator.normal(size=(4, count))
    x = {
        "normal": normal * info.max / 3,
        "narrow": normal,
        "outlier": np.where(np.arange(count) == count // 2, info.max, normal),
        "offset": info.max - 5 + normal,
    }[shape]
    x = np.clip(np.rint(x), info.min, info.max).astype(dtype)
    weight, bias = generator.normal(size=(2, count))
    scale, output_scale, eps = 0.01, 16 / np.iinfo(output).max, 1e-5
    p = layernorm_parameters(scale, output_scale, count, eps=eps, weight=weight, bias=bias)
    got = run(x, p, center=center, dtype=output)
    wide = x.astype(np.float64)
    if center:
        wide = wide - wide.mean(axis=1, keepdims=True)
    square = np.square(wide).mean(axis=1, keepdims=True) + eps / scale**2
    exact = wide / np.sqrt(square)
    real = np.clip(
        (exact * weight + bias) / output_scale, np.iinfo(output).min, np.iinfo(output).max
    )
    bound = layernorm_error_bound(
        exact, square * count**2, float(np.abs(weight).max()), output_scale
    )
    assert np.all(np.abs(got - real) <= bound)


@given(st.integers(1, 2**62 + 2**61))
def test_inverse_root_is_within_its_declared_error(value: int):
    r, k = inverse_root(np.array([value]), TABLE)
    approximation = int(r[0]) * 2.0 ** -(23 + int(k[0]))
    assert abs(approximation * float(value) ** 0.5 - 1) <= 2.0**-14


@pytest.mark.parametrize("bits", [1, 2, 31, 32, 33, 53, 54, 60, 62])
def test_bit_lengths_are_exact(bits: int):
    values = np.array([2**bits - 1, 2**bits, 2**bits + 1])
    assert bit_length(values).tolist() == [bits, bits + 1, bits + 1]


def test_the_longest_rows_stay_inside_64_bits():
    for count, center in ((1 << 16, True), (1 << 15, False)):
        x = np.where(np.arange(count) % 2, -32768, 32767).astype(np.int16)[None]
        p = layernorm_parameters(1e-3, 2 / 127, count, eps=1e-5, weight=1.0, bias=0.0)
        zero_point = 0 if center else 32767
        got = run(x, p, center=center, input_zero_point=zero_point)
        expected = plain(x[0].tolist(), p, center, (zero_point, 0), np.int8)
        assert got[0].tolist() == expected


def test_what_no_integers_hold_is_refused():
    with pytest.raises(ParameterError, match="widen its calibrated range"):
        layernorm_parameters(0.1, 1e-9, 4, eps=1e-5, weight=1.0, bias=0.0)

"""bpu.lut, and the declared error of every function that becomes a table."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.kernels.functions import function_names, table_function
from hbir.kernels.integer.lut import lut
from hbir.kernels.lut_tables import lut_table, segmented_error, segmented_table
from hbir.kernels.parameters import ParameterError
from tests.unit.kernels.integer.oracle import round_half_up, saturated
from tests.unit.kernels.integer.strategies import tensors

# The functions once more, on Python floats with the math module.
# Beyond its domain a function continues with the value at the domain's end.
REFERENCES: dict[str, tuple[dict[str, Any], Callable[[float], float]]] = {
    "relu": ({}, lambda x: max(x, 0.0)),
    "clip": ({"min": -0.5, "max": 1.25}, lambda x: min(max(x, -0.5), 1.25)),
    "leaky_relu": ({"slop": 0.1}, lambda x: x if x >= 0 else 0.1 * x),
    "sigmoid": ({}, lambda x: 0.5 * (1 + math.tanh(x / 2))),
    "tanh": ({}, math.tanh),
    "hard_sigmoid": ({"alpha": 0.2, "beta": 0.5}, lambda x: min(max(0.2 * x + 0.5, 0), 1)),
    "hard_swish": ({}, lambda x: x * min(max(x / 6 + 0.5, 0), 1)),
    "swish": ({}, lambda x: x * 0.5 * (1 + math.tanh(x / 2))),
    "exp": ({}, math.exp),
    "reciprocal": ({}, lambda x: math.inf if x == 0 else 1 / x),
    "gelu": ({}, lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2)))),
    "gelu:tanh": (
        {"approximate": "tanh"},
        lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    ),
    "softplus": ({}, lambda x: x if x > 20 else math.log1p(math.exp(x))),
    "softplus:beta": (
        {"beta": 2.0, "threshold": 5.0},
        lambda x: x if 2 * x > 5 else math.log1p(math.exp(2 * x)) / 2,
    ),
    "mish": ({}, lambda x: x * math.tanh(x if x > 40 else math.log1p(math.exp(x)))),
    "elu": ({"alpha": 0.7}, lambda x: x if x > 0 else 0.7 * math.expm1(x)),
    "softsign": ({}, lambda x: x / (1 + abs(x))),
    "thresholded_relu": ({"alpha": 0.4}, lambda x: x if x > 0.4 else 0.0),
    "shrink": (
        {"lambd": 0.5, "bias": 0.25},
        lambda x: x - 0.25 if x > 0.5 else x + 0.25 if x < -0.5 else 0.0,
    ),
    "abs": ({}, abs),
    "neg": ({}, lambda x: -x),
    "sign": ({}, lambda x: math.copysign(1.0, x) if x else 0.0),
    "floor": ({}, lambda x: float(math.floor(x))),
    "ceil": ({}, lambda x: float(math.ceil(x))),
    "round": ({}, lambda x: float(round(x))),
    "sqrt": ({}, lambda x: math.sqrt(max(x, 0))),
    "rsqrt": ({}, lambda x: 1 / math.sqrt(x) if x > 0 else math.inf),
    "log": ({}, lambda x: math.log(x) if x > 0 else -math.inf),
    "erf": ({}, math.erf),
    "sin": ({}, math.sin),
    "cos": ({}, math.cos),
    "tan": ({}, math.tan),
    "sinh": ({}, math.sinh),
    "cosh": ({}, math.cosh),
    "asin": ({}, lambda x: math.asin(min(max(x, -1), 1))),
    "acos": ({}, lambda x: math.acos(min(max(x, -1), 1))),
    "atan": ({}, math.atan),
    "asinh": ({}, math.asinh),
    "acosh": ({}, lambda x: math.acosh(max(x, 1))),
    "atanh": ({}, lambda x: math.copysign(math.inf, x) if abs(x) >= 1 else math.atanh(x)),
}

SEGMENTED_LIMITS = {
    **dict.fromkeys(("exp", "sinh", "cosh"), 12.0),
    **dict.fromkeys(("floor", "ceil", "round"), 2.0),
    **dict.fromkeys(("sin", "cos"), 4.0),
    "tan": 1.4,
}
"""Inputs up to which docs/arithmetic.md declares the error of segments. An exponential of large
numbers is a step at the end of the codes; each whole number costs a floor about ten segments, each
period a sine as many."""


def table_of(name: str) -> Callable[[npt.NDArray[Any]], npt.NDArray[Any]]:
    """The table function of a reference: `gelu:tanh` is gelu with other parameters."""
    return table_function(name.partition(":")[0], **REFERENCES[name][0])


@given(st.data(), st.sampled_from([np.int8, np.int16]))
def test_lut_indexes_by_x_plus_128(data: st.DataObject, dtype: type[np.signedinteger[Any]]):
    table = data.draw(tensors((256,), dtype))
    x = data.draw(tensors((3, 5)))
    got = lut(x, table)
    assert got.dtype == dtype
    assert got.tolist() == [[int(table[int(v) + 128]) for v in row] for row in x]


def test_lut_takes_views():
    """A tile is a strided view of its tensor."""
    x = np.arange(-128, 128, dtype=np.int8).reshape(16, 16)[::3, 1::2]
    table = np.arange(-128, 128, dtype=np.int8)
    np.testing.assert_array_equal(lut(x, table), x)


@pytest.mark.parametrize("name", sorted(REFERENCES))
@pytest.mark.parametrize("dtype", [np.int8, np.int16])
@settings(max_examples=15, deadline=None)
@given(
    input_scale=st.floats(1e-3, 0.3),
    input_zero_point=st.integers(-128, 127),
    output_zero_point=st.integers(-128, 127),
    output_range=st.floats(0.1, 20),
)
def test_entries_are_within_half_a_step(
    name: str,
    dtype: type[np.signedinteger[Any]],
    input_scale: float,
    input_zero_point: int,
    output_zero_point: int,
    output_range: float,
):
    _, reference = REFERENCES[name]
    info = np.iinfo(np.dtype(dtype).name)
    scale = output_range / int(info.max)
    table = lut_table(
        table_of(name),
        input_scale=input_scale,
        input_zero_point=input_zero_point,
        output_scale=scale,
        output_zero_point=output_zero_point,
        dtype=dtype,
    )
    for code in range(-128, 128):
        real = reference((code - input_zero_point) * input_scale) / scale + output_zero_point
        representable = min(max(real, int(info.min)), int(info.max))
        assert abs(int(table[code + 128]) - representable) <= 0.5 + 1e-6


SEGMENTED_ERROR_STEPS = 0.52
"""What docs/arithmetic.md declares of every function that becomes segments."""


@pytest.mark.parametrize("name", sorted(REFERENCES))
@pytest.mark.parametrize("dtype", [np.int8, np.int16])
@settings(max_examples=3, deadline=None)
@given(
    input_range=st.floats(0.5, 300),
    input_zero_point=st.sampled_from([0, 0, -32768, 11, 3001]),
    output_zero_point=st.sampled_from([0, -32768, 7]),
    data=st.data(),
)
def test_segments_are_within_the_declared_error(
    name: str,
    dtype: type[np.signedinteger[Any]],
    input_range: float,
    input_zero_point: int,
    output_zero_point: int,
    data: st.DataObject,
):
    """All 65536 codes of a si16 x, ranges as calibration would choose them."""
    _, reference = REFERENCES[name]
    info = np.iinfo(np.dtype(dtype).name)
    limit = SEGMENTED_LIMITS.get(name, math.inf) / (1 + abs(input_zero_point) / 32768)
    input_scale = min(input_range, limit) / 32768
    codes = np.arange(-32768, 32768)
    real = np.array([reference(float(c - input_zero_point) * input_scale) for c in codes])
    # A range may cut off what is rare: down to a tenth of the largest magnitude.
    has_pole = name in ("reciprocal", "rsqrt", "atanh")
    kept = data.draw(st.floats(0.1, 1)) if not has_pole else 20 / 65536
    finite = np.abs(real[np.isfinite(real)]).max()
    scale = float(np.float32(max(kept * finite, 1e-6) / int(info.max)))
    zero_point = max(output_zero_point, int(info.min))
    table = lut_table(
        table_of(name),
        input_scale=input_scale,
        input_zero_point=input_zero_point,
        output_scale=scale,
        output_zero_point=zero_point,
        dtype=dtype,
        input_dtype=np.int16,
    )
    assert table.dtype == np.int32
    assert table.shape[0] <= 64
    got = lut(codes.astype(np.int16), table, dtype=dtype)
    assert got.dtype == dtype
    representable = np.clip(real / scale + zero_point, int(info.min), int(info.max))
    assert np.abs(got - representable).max() <= SEGMENTED_ERROR_STEPS


@st.composite
def segments(draw: st.DrawFn) -> npt.NDArray[np.int32]:
    """Any well-formed table: dyadic segments that cover the codes, knots up to their limit."""
    rows = [(-32768, 10)]
    for _ in range(draw(st.integers(0, 12))):
        first, shift = rows.pop(draw(st.integers(0, len(rows) - 1)))
        halves = [(first, shift - 1), (first + (32 << shift), shift - 1)]
        rows += halves if shift else [(first, shift)]
    limit = 2**30
    knots = draw(tensors((len(rows), 65), np.int32)) // 2
    knots[0, :2] = -limit, limit
    return np.column_stack([sorted(rows), np.clip(knots, -limit, limit)]).astype(np.int32)


@given(segments(), st.data(), st.sampled_from([np.int8, np.int16]))
def test_segments_are_interpolated_as_the_formula_says(
    table: npt.NDArray[np.int32], data: st.DataObject, dtype: type[np.signedinteger[Any]]
):
    x = data.draw(tensors((4, 6), np.int16))
    x.flat[:3] = -32768, 32767, -32767
    rows = table.tolist()

    def formula(code: int) -> int:
        first, shift, *knots = [row for row in rows if row[0] <= code][-1]
        k, f = divmod(code - first, 2**shift)
        line = knots[k] * 2**shift + (knots[k + 1] - knots[k]) * f
        return saturated(round_half_up(line, shift + 8), dtype)

    expected = [[formula(int(code)) for code in row] for row in x]
    assert lut(x, table, dtype=dtype).tolist() == expected


def test_many_elements_have_the_bits_of_few():
    """Large tensors are looked up in the results of all codes."""
    table = segmented_table(lambda codes: 30000 * np.sin(codes / 9000))
    x = np.arange(-32768, 32768, dtype=np.int16).reshape(256, 256)
    rows = [lut(row, table) for row in x]
    np.testing.assert_array_equal(lut(x, table), np.stack(rows))
    np.testing.assert_array_equal(lut(x[::3, 1::2], table), np.stack(rows)[::3, 1::2])
    assert segmented_error(lambda codes: 30000 * np.sin(codes / 9000)) < SEGMENTED_ERROR_STEPS


def test_a_function_that_is_nan_is_refused():
    with pytest.raises(ParameterError, match="nan"):
        lut_table(np.log, input_scale=0.1, output_scale=0.1)


def test_every_function_has_a_reference():
    """So that each has its declared error tested."""
    named = {name.partition(":")[0] for name in REFERENCES}
    assert named == set(function_names())


def test_an_op_without_a_table_is_refused():
    with pytest.raises(ParameterError, match="conv2d has no table"):
        table_function("conv2d")

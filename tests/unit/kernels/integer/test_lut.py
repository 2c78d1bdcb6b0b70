"""bpu.lut, and the declared error of every function that becomes a table."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.kernels.functions import table_function
from hbir.kernels.integer.lut import lut
from hbir.kernels.parameters import ParameterError, lut_table
from tests.unit.kernels.integer.strategies import tensors

# The functions once more, on Python floats with the math module.
REFERENCES: dict[str, tuple[dict[str, float], Callable[[float], float]]] = {
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
}


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
    params, reference = REFERENCES[name]
    info = np.iinfo(np.dtype(dtype).name)
    scale = output_range / int(info.max)
    table = lut_table(
        table_function(name, **params),
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


def test_a_function_that_is_nan_is_refused():
    with pytest.raises(ParameterError, match="nan"):
        lut_table(np.log, input_scale=0.1, output_scale=0.1)


def test_an_op_without_a_table_is_refused():
    with pytest.raises(ParameterError, match="conv2d has no table"):
        table_function("conv2d")

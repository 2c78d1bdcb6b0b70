"""Requantization equals TOSA's RESCALE with 16-bit multipliers: random values, ties, edges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from hbir.kernels.integer.requantize import requantize, rescale
from tests.unit.kernels.tosa.reference_model import Program, needs_reference_model, tensor_type

pytestmark = needs_reference_model

Array = npt.NDArray[Any]


def model_rescale(
    folder: Path,
    x: Array,
    multiplier: int,
    shift: int,
    zero: int,
    out_zero: int,
    dtype: type[np.signedinteger[Any]],
) -> Array:
    program = Program(folder, x)
    value = program.rescale(
        program.values[0],
        [multiplier],
        [shift],
        input_zero_point=zero,
        output_zero_point=out_zero,
        result=tensor_type(x.astype(dtype)),
    )
    return program.run(value)


@pytest.mark.parametrize("dtype", [np.int8, np.int16])
@pytest.mark.parametrize(
    ("multiplier", "shift"), [(1 << 14, 14), (1 << 14, 15), (32767, 40), (23171, 33), (16385, 2)]
)
def test_accumulators(
    tmp_path: Path, multiplier: int, shift: int, dtype: type[np.signedinteger[Any]]
):
    """int32 values, random and extreme; results beyond int32, which TOSA leaves open, left out."""
    generator = np.random.default_rng(shift)
    x = np.concatenate(
        [
            generator.integers(-(2**31), 2**31, 4000),
            generator.integers(-(2**12), 2**12, 2000),
            [-(2**31), 2**31 - 1, -1, 0, 1],
        ]
    ).astype(np.int32)
    x = x[np.abs((x.astype(np.int64) * multiplier) >> shift) < 2**31 - 8]
    assert x.size > 1000
    out_zero = -3 if dtype is np.int8 else 0
    expected = model_rescale(tmp_path, x, multiplier, shift, 0, out_zero, dtype)
    got = rescale(x, multiplier=multiplier, shift=shift, output_zero_point=out_zero, dtype=dtype)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("half_bits", [1, 2, 7, 12, 20])
def test_ties(tmp_path: Path, half_bits: int):
    """Products that lie exactly between two integers, both signs, and their two neighbours."""
    whole = np.arange(-140, 140)
    ties = (2 * whole + 1) << (half_bits - 1)
    x = np.concatenate([ties, ties - 1, ties + 1]).astype(np.int32)
    shift = 14 + half_bits
    expected = model_rescale(tmp_path, x, 1 << 14, shift, 0, 0, np.int8)
    got = rescale(x, multiplier=1 << 14, shift=shift)
    np.testing.assert_array_equal(got, expected)
    rounded = requantize(ties, 1 << 14, shift)
    np.testing.assert_array_equal(rounded, whole + 1)


def test_ties_of_odd_multipliers(tmp_path: Path):
    """m * x = odd * 2^(s-1) for an odd m: x is a multiple of 2^(s-1)."""
    x = (np.arange(-99, 100, 2) << 3).astype(np.int32)
    expected = model_rescale(tmp_path, x, 16385, 4, 0, 0, np.int16)
    np.testing.assert_array_equal(rescale(x, multiplier=16385, shift=4, dtype=np.int16), expected)


@pytest.mark.parametrize("shift", [13, 14, 15, 17, 25])
def test_every_int8(tmp_path: Path, shift: int):
    x = np.arange(-128, 128, dtype=np.int8)
    expected = model_rescale(tmp_path, x, 18725, shift, 11, -60, np.int8)
    got = rescale(x, multiplier=18725, shift=shift, input_zero_point=11, output_zero_point=-60)
    np.testing.assert_array_equal(got, expected)

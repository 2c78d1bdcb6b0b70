"""Resize against onnxruntime, in the coordinate modes that step and offset express."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.dialects.hbir.resize import Resize2dOp
from tests.unit.kernels.float.onnx_oracle import (
    assert_close,
    channel_first,
    channel_last,
    evaluate,
    run_onnx,
)

extents = st.integers(1, 9)


def step_and_offset(mode: str, size: int, out_size: int) -> tuple[float, float]:
    """The source position of result element i as step · i + offset, by ONNX's definition."""
    scale = out_size / size
    match mode:
        case "asymmetric":
            return 1 / scale, 0.0
        case "half_pixel":
            return 1 / scale, 0.5 / scale - 0.5
        case "pytorch_half_pixel":
            return (1 / scale, 0.5 / scale - 0.5) if out_size > 1 else (0.0, 0.0)
        case _:  # align_corners
            return ((size - 1) / (out_size - 1) if out_size > 1 else 0.0), 0.0


COORDINATES = ["asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners"]


def _input(size: tuple[int, int]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(7).normal(size=(2, *size, 3)).astype(np.float32)


@pytest.mark.parametrize("coordinates", COORDINATES)
@given(size=st.tuples(extents, extents), out_size=st.tuples(extents, extents))
def test_bilinear(coordinates: str, size: tuple[int, int], out_size: tuple[int, int]) -> None:
    x = _input(size)
    pairs = [step_and_offset(coordinates, size[axis], out_size[axis]) for axis in (0, 1)]
    params = {
        "size": out_size,
        "step": [step for step, _ in pairs],
        "initial_offset": [offset for _, offset in pairs],
        "mode": "bilinear",
    }
    expected = run_onnx(
        "Resize",
        [channel_first(x), None, None, np.array([2, 3, *out_size])],
        mode="linear",
        coordinate_transformation_mode=coordinates,
    )
    assert_close(evaluate(Resize2dOp, [x], params), channel_last(expected), rtol=2e-5)


@pytest.mark.parametrize("nearest", ["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"])
@pytest.mark.parametrize("coordinates", COORDINATES)
@given(size=st.tuples(extents, extents), factor=st.sampled_from([0.5, 1.0, 2.0, 4.0]))
def test_nearest(coordinates: str, nearest: str, size: tuple[int, int], factor: float) -> None:
    """Factors are powers of two: with others, onnxruntime's float32 positions fall beside ties."""
    size = (2 * size[0], 2 * size[1])
    out_size = (int(size[0] * factor), int(size[1] * factor))
    if coordinates == "align_corners":
        out_size = (2 * size[0] - 1, 2 * size[1] - 1)
    x = _input(size)
    pairs = [step_and_offset(coordinates, size[axis], out_size[axis]) for axis in (0, 1)]
    params = {
        "size": out_size,
        "step": [step for step, _ in pairs],
        "initial_offset": [offset for _, offset in pairs],
        "mode": "nearest",
        "nearest_mode": nearest,
    }
    expected = run_onnx(
        "Resize",
        [channel_first(x), None, None, np.array([2, 3, *out_size])],
        mode="nearest",
        nearest_mode=nearest,
        coordinate_transformation_mode=coordinates,
    )
    np.testing.assert_array_equal(evaluate(Resize2dOp, [x], params), channel_last(expected))

"""bpu.resize2d against exact fractions, and tiles against the whole."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.kernels.integer.resize import resize2d, source_range
from hbir.kernels.parameters import resize_parameters
from tests.unit.kernels.integer.strategies import tensors

HALF = Fraction(1, 2)
NEAREST: dict[str, Callable[[Fraction], int]] = {
    "floor": lambda p: math.floor(p),
    "ceil": lambda p: math.ceil(p),
    "round_prefer_floor": lambda p: math.ceil(p - HALF),
    "round_prefer_ceil": lambda p: math.floor(p + HALF),
}


def position(transform: str, index: int, size: int, in_size: int) -> Fraction:
    """ONNX's coordinate transformation in exact arithmetic."""
    if transform == "asymmetric":
        return Fraction(index * in_size, size)
    if transform == "align_corners":
        return Fraction(index * (in_size - 1), max(size - 1, 1))
    return Fraction(2 * index + 1, 2) * Fraction(in_size, size) - Fraction(1, 2)


def real_parameters(transform: str, size: int, in_size: int) -> tuple[float, float]:
    """step and offset as the float level holds them."""
    if transform == "asymmetric":
        return in_size / size, 0.0
    if transform == "align_corners":
        return (in_size - 1) / max(size - 1, 1), 0.0
    return in_size / size, 0.5 * in_size / size - 0.5


TRANSFORMS = st.sampled_from(["asymmetric", "align_corners", "half_pixel"])
EXTENTS = st.integers(1, 40)


@settings(max_examples=300, deadline=None)
@given(TRANSFORMS, st.sampled_from(sorted(NEAREST)), EXTENTS, st.integers(1, 300))
def test_nearest_picks_what_exact_fractions_pick(
    transform: str, nearest_mode: str, in_size: int, size: int
):
    """Ties and whole positions included, whatever rounding the step and offset suffered."""
    step, offset = real_parameters(transform, size, in_size)
    parameters = resize_parameters(
        (step, 1.0), (offset, 0.0), mode="nearest", nearest_mode=nearest_mode
    )
    x = np.arange(in_size, dtype=np.int8).reshape(1, in_size, 1, 1)
    got = resize2d(x, size=(size, 1), mode="nearest", nearest_mode=nearest_mode, **parameters)
    for index in range(size):
        exact = NEAREST[nearest_mode](position(transform, index, size, in_size))
        assert int(got[0, index, 0, 0]) == min(max(exact, 0), in_size - 1)


@settings(max_examples=60, deadline=None)
@given(st.data(), TRANSFORMS, st.sampled_from([np.int8, np.int16]))
def test_bilinear_is_within_its_declared_error(
    data: st.DataObject, transform: str, dtype: type[np.signedinteger[Any]]
):
    """Half a step of rounding, and 2^-12 of the neighbours' difference per axis."""
    in_size = data.draw(st.tuples(EXTENTS, EXTENTS))
    size = data.draw(st.tuples(st.integers(1, 30), st.integers(1, 30)))
    x = data.draw(tensors((1, *in_size, 2), dtype))
    rows, columns = (real_parameters(transform, size[a], in_size[a]) for a in range(2))
    parameters = resize_parameters((rows[0], columns[0]), (rows[1], columns[1]), mode="bilinear")
    got = resize2d(x, size=size, mode="bilinear", **parameters)
    matrices: list[Any] = []
    for axis in range(2):
        matrix = np.zeros((size[axis], in_size[axis]))
        for index in range(size[axis]):
            p = position(transform, index, size[axis], in_size[axis])
            p = min(max(p, Fraction(0)), Fraction(in_size[axis] - 1))
            first = math.floor(p)
            matrix[index, first] += float(1 - (p - first))
            if p > first:
                matrix[index, first + 1] += float(p - first)
        matrices.append(matrix)
    real = np.einsum("ih,jw,nhwc->nijc", matrices[0], matrices[1], x.astype(float))
    spread = int(x.max()) - int(x.min())
    assert np.abs(got - real).max() <= 0.5 + 2 * spread * (2.0**-12 + 2.0**-20)


def test_bilinear_keeps_a_constant():
    for value in (-128, -1, 0, 127):
        x = np.full((1, 5, 7, 3), value, np.int8)
        parameters = resize_parameters((0.37, 0.61), (-0.2, 0.4), mode="bilinear")
        assert np.all(resize2d(x, size=(13, 11), mode="bilinear", **parameters) == value)


@settings(max_examples=80, deadline=None)
@given(
    st.data(),
    st.sampled_from(["nearest", "bilinear"]),
    TRANSFORMS,
    st.sampled_from(sorted(NEAREST)),
)
def test_a_tile_equals_its_part_of_the_whole(
    data: st.DataObject, mode: str, transform: str, nearest_mode: str
):
    in_size = data.draw(st.tuples(EXTENTS, EXTENTS))
    size = data.draw(st.tuples(st.integers(1, 60), st.integers(1, 60)))
    x = data.draw(tensors((1, *in_size, 2)))
    real = [real_parameters(transform, size[a], in_size[a]) for a in range(2)]
    parameters = resize_parameters(
        (real[0][0], real[1][0]), (real[0][1], real[1][1]), mode=mode, nearest_mode=nearest_mode
    )
    modes: dict[str, Any] = {"mode": mode, "nearest_mode": nearest_mode}
    whole = resize2d(x, size=size, **modes, **parameters)
    starts = [data.draw(st.integers(0, size[a] - 1)) for a in range(2)]
    extents = [data.draw(st.integers(1, size[a] - starts[a])) for a in range(2)]
    ranges = [
        source_range(
            extents[a],
            parameters["step"][a],
            parameters["initial_offset"][a],
            in_size[a],
            out_offset=starts[a],
            **modes,
        )
        for a in range(2)
    ]
    tile = resize2d(
        x[:, slice(*ranges[0]), slice(*ranges[1])],
        size=extents,
        out_offset=starts,
        in_offset=[low for low, _ in ranges],
        in_size=in_size,
        **modes,
        **parameters,
    )
    part = whole[:, starts[0] : starts[0] + extents[0], starts[1] : starts[1] + extents[1]]
    np.testing.assert_array_equal(tile, part)


def test_a_tile_without_its_input_is_refused():
    parameters = resize_parameters((0.5, 0.5), (0.0, 0.0), mode="nearest", nearest_mode="floor")
    x = np.zeros((1, 2, 4, 1), np.int8)
    with pytest.raises(ValueError, match=r"axis 1 needs input 0\.\.3 of the tile, which holds 2"):
        resize2d(x, size=(8, 8), mode="nearest", nearest_mode="floor", in_size=(4, 4), **parameters)

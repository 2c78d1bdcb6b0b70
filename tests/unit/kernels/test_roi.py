"""The resizer: against plain Python, against torch's corner-to-corner resize, by tiles; and what
it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.errors import HbirError
from hbir.kernels.roi import MAX_STEP, PLANES, source_step
from hbir.kernels.table import execute

Array = np.ndarray[Any, Any]

MODES = st.sampled_from(["NV12", "GRAY"])
INTERPOLATIONS = st.sampled_from(["bilinear", "nearest"])
EXPANSIONS = st.sampled_from(["constant", "border"])


def element(plane: Array, at: tuple[int, int, int], pad: int, params: dict[str, Any]) -> int:
    row, column, channel = at
    _, height, width, _ = plane.shape
    if params["expansion_mode"] == "border":
        row, column = min(max(row, 0), height - 1), min(max(column, 0), width - 1)
    inside = 0 <= row < height and 0 <= column < width
    return int(plane[0, row, column, channel]) if inside else pad % 256


def oracle(roi: list[int], planes: list[Array], params: dict[str, Any]) -> Array:
    """docs/arithmetic.md, pixel by pixel in Python's integers."""
    size, names = params["size"], PLANES[params["mode"]]
    result = np.zeros((1, *size, sum(channels for channels, _ in names)), np.int8)
    first_channel = 0
    for plane, (channels, pixels), pad in zip(planes, names, params["pad_value"], strict=False):
        left, top, right, bottom = (coordinate // pixels for coordinate in roi)
        for i, j, c in np.ndindex(*size, channels):
            places: list[tuple[int, int, int]] = []
            for index, low, high, target in (
                (i // pixels, top, bottom, size[0] // pixels),
                (j // pixels, left, right, size[1] // pixels),
            ):
                source = high - low + 1
                step = ((source - 1) * 65536 + (target - 1) // 2) // (target - 1)
                position = min(index * step, (source - 1) * 65536)
                if params["interpolate_mode"] == "nearest":
                    position = (position + 32768) // 65536 * 65536
                whole, weight = divmod(position, 65536)
                places.append((low + whole, min(low + whole + 1, high), weight))
            (row, below, wy), (column, right_of, wx) = places
            total = 1 << 31
            for y, y_weight in ((row, 65536 - wy), (below, wy)):
                for x, x_weight in ((column, 65536 - wx), (right_of, wx)):
                    total += element(plane, (y, x, c), pad, params) * y_weight * x_weight
            result[0, i, j, first_channel + c] = (total >> 32) - 128
        first_channel += channels
    return result


def example(seed: int, mode: str) -> tuple[list[int], list[Array], tuple[int, int]]:
    random = np.random.default_rng(seed)
    height, width = (2 * int(n) for n in random.integers(1, 12, 2))
    size = tuple(2 * int(n) for n in random.integers(2, 7, 2))
    planes = [
        random.choice(
            np.arange(256) if seed % 2 else np.array([0, 255]),
            (1, height // pixels, width // pixels, channels),
        ).astype(np.uint8)
        for channels, pixels in PLANES[mode]
    ]
    lengths = [int(random.integers(1, 4 * (n - 1) + 1)) for n in size]
    top, left = (
        int(random.integers(1 - n, e)) for n, e in zip(lengths, (height, width), strict=True)
    )
    return [left, top, left + lengths[1] - 1, top + lengths[0] - 1], planes, (size[0], size[1])


@given(seed=st.integers(0, 100_000), mode=MODES, interpolate=INTERPOLATIONS, expansion=EXPANSIONS)
def test_exact(seed: int, mode: str, interpolate: str, expansion: str) -> None:
    """Python's integers, the integer kernel, its tiles, and the float kernel in float64: one
    result, bit for bit."""
    roi, planes, size = example(seed, mode)
    params: dict[str, Any] = {
        "size": size,
        "mode": mode,
        "interpolate_mode": interpolate,
        "expansion_mode": expansion,
        "pad_value": (seed % 384 - 128, -128),
    }
    rois = np.array([roi], np.int32)
    expected = oracle(roi, planes, params)
    actual = execute("bpu.roi_resize", [rois, *planes], params)
    np.testing.assert_array_equal(actual, expected, strict=True)
    exact = execute("hbir.roi_resize", [*planes, rois], params)
    np.testing.assert_array_equal(exact, expected, strict=True)
    tile = {"out_offset": (1, 2), "out_size": (size[0] - 1, 1)}
    part = execute("bpu.roi_resize", [rois, *planes], {**params, **tile})
    np.testing.assert_array_equal(part, expected[:, 1:, 2:3], strict=True)


NV12: dict[str, Any] = {
    "size": (6, 8),
    "mode": "NV12",
    "interpolate_mode": "bilinear",
    "expansion_mode": "constant",
    "pad_value": (0, -128),
}


def run(roi: list[int], y: Array, uv: Array, **changes: Any) -> Array:
    arrays = [np.array([roi], np.int32), y, uv]
    return execute("bpu.roi_resize", arrays, {**NV12, **changes})


def image(height: int = 20, width: int = 30) -> tuple[Array, Array]:
    random = np.random.default_rng(0)
    half = (1, height // 2, width // 2, 2)
    return (
        random.integers(0, 256, (1, height, width, 1)).astype(np.uint8),
        random.integers(0, 256, half).astype(np.uint8),
    )


def test_a_roi_of_the_size_of_the_result_is_image_convert_of_the_crop() -> None:
    y, uv = image()
    crop = [y[:, 4:10, 6:14], uv[:, 2:5, 3:7]]
    expected = execute("hbir.image_convert", crop, {"mode": "NV12"})
    np.testing.assert_array_equal(run([6, 4, 13, 9], y, uv), expected)


def test_outside_is_black() -> None:
    y, uv = image()
    result = run([-8, -6, -1 + 8, -1 + 6], y, uv, size=(12, 16))
    assert np.all(result[0, :6] == np.array([-128, 0, 0]))
    border = run([-8, -6, -1 + 8, -1 + 6], y, uv, size=(12, 16), expansion_mode="border")
    assert np.all(border[0, :6, :8, 0] == int(y[0, 0, 0, 0]) - 128)


def test_near_to_a_resize_with_aligned_corners() -> None:
    """torch has exact positions, the resizer 16 fraction bits: at most half a unit and what a
    position's error makes of the steepest edge."""
    torch = pytest.importorskip("torch")
    y, _ = image()
    params = {**NV12, "mode": "GRAY", "size": (31, 47)}
    actual = execute("bpu.roi_resize", [np.array([[2, 3, 25, 17]], np.int32), y], params)
    crop = torch.from_numpy(y[:, 3:18, 2:26, 0].astype(np.float32))[None]
    expected = torch.nn.functional.interpolate(
        crop, (31, 47), mode="bilinear", align_corners=True
    ).numpy()
    error = np.abs(actual[0, :, :, 0] + 128.0 - expected[0, 0])
    position_error = (31 + 47) / 2 / 65536
    assert error.max() <= 0.5 + 255 * position_error + 1e-3


@given(target=st.integers(2, 8192))
def test_the_step_is_in_its_published_range_up_to_four_to_one(target: int) -> None:
    most = 4 * (target - 1)
    assert source_step(most, target) <= MAX_STEP < source_step(most + 1, target)
    assert source_step(1, target) == 0


REFUSED: list[tuple[list[int], str]] = [
    ([5, 5, 4, 9], r"roi \(left 5, top 5, right 4, bottom 9\) is empty; right and bottom are"),
    ([30, 0, 33, 3], "lies outside of the image of 20x30"),
    ([-4, -4, -1, -1], "lies outside of the image of 20x30"),
    ([-9000, 0, 3, 3], "at most to -8192 and 16383"),
    (
        [0, 0, 28, 3],
        "has 29 columns, the result 8: the resizer shrinks less than fourfold, so give",
    ),
]


@pytest.mark.parametrize(("roi", "message"), REFUSED, ids=[text for _, text in REFUSED])
def test_a_roi_that_makes_no_sense(roi: list[int], message: str) -> None:
    with pytest.raises(HbirError, match=message):
        run(roi, *image())


def test_planes_that_do_not_fit_each_other() -> None:
    y, uv = image()
    with pytest.raises(
        HbirError, match=r"a plane has shape \[1, 10, 14, 2\], expected \[1, 10, 15, 2"
    ):
        run([0, 0, 3, 3], y, uv[:, :, :14])
    with pytest.raises(HbirError, match="the image of 19x30 must have an even height and width"):
        run([0, 0, 3, 3], y[:, :19], uv)

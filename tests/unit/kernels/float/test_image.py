"""Image conversions against their float64 definition, and opencv where its range is the same."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from hbir.kernels.float.image import image_convert, image_preprocess
from hbir.ptq.transformers.colour import rgb_to_yuv

Array = np.ndarray[Any, Any]
_cv2: Any = cv2  # its stubs leave arrays' dtypes open

HEIGHT, WIDTH = 12, 16


def _rgb(seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)


def _planes(seed: int = 0) -> tuple[Array, Array]:
    generator = np.random.default_rng(seed)
    y = generator.integers(16, 236, (1, HEIGHT, WIDTH, 1)).astype(np.uint8)
    uv = generator.integers(16, 241, (1, HEIGHT // 2, WIDTH // 2, 2)).astype(np.uint8)
    return y, uv


def _signed(image: Array) -> Array:
    return image.astype(np.float32)[None] - 128


def test_planes_are_centred_and_chroma_stands_for_2x2() -> None:
    y, uv = _planes()
    result = image_convert(y, uv, mode="NV12")
    assert result.dtype == np.int8
    assert result.shape == (1, HEIGHT, WIDTH, 3)
    for i in range(HEIGHT):
        for j in range(WIDTH):
            expected = [y[0, i, j, 0], *uv[0, i // 2, j // 2]]
            assert result[0, i, j].tolist() == [int(value) - 128 for value in expected]
    grey = image_convert(np.array([[[[0], [255]]]], np.uint8), mode="GRAY")
    assert grey.reshape(-1).tolist() == [-128, 127]


@pytest.mark.parametrize("space", ["rgb", "bgr"])
@pytest.mark.parametrize("video", [False, True])
def test_yuv_is_the_inverse_of_its_definition(space: str, video: bool) -> None:
    rgb = _rgb()
    yuv = rgb_to_yuv(rgb, video_range=video)[None]  # not rounded
    csc = f"yuvbt601{'video' if video else 'full'}2{space}"
    back = image_preprocess(yuv, csc=csc, divisor=1.0, mean=[0.0], sd=[1.0], signed=False)
    expected = rgb if space == "rgb" else rgb[:, :, ::-1]
    np.testing.assert_allclose(back[0], expected, atol=1e-4)


def test_video_range_nv12_is_within_one_of_opencv() -> None:
    y, uv = _planes()
    nv12 = np.concatenate([y.reshape(HEIGHT, WIDTH), uv.reshape(HEIGHT // 2, WIDTH)])
    theirs = np.asarray(_cv2.cvtColor(nv12, _cv2.COLOR_YUV2RGB_NV12))
    channels = image_convert(y, uv, mode="NV12").astype(np.float32)
    ours = image_preprocess(channels, csc="yuvbt601video2rgb", divisor=1.0, mean=[0.0], sd=[1.0])
    assert np.abs(np.rint(ours[0]) - theirs).max() <= 1


def test_full_range_is_within_one_of_opencv() -> None:
    yuv = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    # opencv's YCrCb is full range, with its last two channels the other way round
    theirs = np.asarray(_cv2.cvtColor(yuv[:, :, [0, 2, 1]], _cv2.COLOR_YCrCb2RGB))
    ours = image_preprocess(_signed(yuv), csc="yuvbt601full2rgb", divisor=1.0, mean=[0.0], sd=[1.0])
    assert np.abs(np.rint(ours[0]) - theirs).max() <= 1


@pytest.mark.parametrize("csc", ["skip", "bgr2rgb", "rgb2bgr"])
def test_normalisation_is_the_formula(csc: str) -> None:
    rgb = _rgb()
    mean, sd = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
    ours = image_preprocess(_signed(rgb), csc=csc, divisor=255.0, mean=mean, sd=sd)
    colours = rgb.astype(np.float64) if csc == "skip" else rgb[:, :, ::-1].astype(np.float64)
    expected = (colours / 255.0 - np.array(mean)) / np.array(sd)
    np.testing.assert_array_equal(ours[0], expected.astype(np.float32))

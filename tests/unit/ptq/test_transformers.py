"""Every transformer against its library or its definition, and what each refuses."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from skimage import color, transform

from hbir.ptq import transformers as t

Array = np.ndarray[Any, Any]
# Their types leave arrays' dtypes open.
_cv2: Any = cv2
_color: Any = color
_transform: Any = transform


def _image(height: int = 20, width: int = 30, channels: int = 3, seed: int = 0) -> Array:
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (height, width, channels)).astype(np.uint8)


def test_add_mean_scale() -> None:
    image = _image()
    chw = image.transpose(2, 0, 1)
    np.testing.assert_array_equal(t.AddTransformer(-128)(image), image.astype(np.float32) - 128)
    means = np.array([103.94, 116.78, 123.68], np.float32)
    np.testing.assert_array_equal(t.MeanTransformer(means)(chw), chw - means[:, None, None])
    np.testing.assert_array_equal(t.MeanTransformer(means, "HWC")(image), image - means)
    np.testing.assert_array_equal(t.ScaleTransformer(1 / 255)(image), image * np.float32(1 / 255))
    assert t.ScaleTransformer([1, 2, 3])(chw).dtype == np.float32
    np.testing.assert_array_equal(t.NormalizeTransformer(means)(chw), chw / means[:, None, None])
    values = np.array([[[-200.0, -1.5, 1.4, 300.0]]], np.float32)
    assert t.F32ToS8Transformer()(values).tolist() == [[[-128, -2, 1, 127]]]
    assert t.F32ToU8Transformer()(values).tolist() == [[[0, 0, 1, 255]]]


def test_crops() -> None:
    image = _image(20, 31)
    np.testing.assert_array_equal(t.CenterCropTransformer(10)(image), image[5:15, 10:20])
    assert t.CenterCropTransformer(10, "uint8")(image).dtype == np.uint8
    np.testing.assert_array_equal(t.PILCenterCropTransformer(10)(image), image[5:15, 10:20])
    np.testing.assert_array_equal(t.LongSideCropTransformer()(image), image[:, 5:25])
    assert t.LongSideCropTransformer()(_image(100, 70)).shape == (85, 70, 3)
    size = int(224 / 256 * 20)
    cropped = t.PaddedCenterCropTransformer()(image)
    top, left = (20 - size) // 2, (31 - size) // 2
    np.testing.assert_array_equal(cropped, image[top : top + size, left : left + size])


def test_resizes_are_their_libraries() -> None:
    image = _image()
    np.testing.assert_allclose(
        t.ResizeTransformer((11, 17))(image),
        _transform.resize(image.astype(np.float64), (11, 17), order=1, preserve_range=True),
        rtol=1e-6,
    )
    np.testing.assert_array_equal(
        t.ResizeTransformer((11, 17), mode="opencv")(image),
        _cv2.resize(image.astype(np.float32), (17, 11)),
    )
    np.testing.assert_array_equal(
        t.ResizeTransformer((11, 17), "opencv", interpolation=_cv2.INTER_CUBIC)(image),
        _cv2.resize(image.astype(np.float32), (17, 11), interpolation=_cv2.INTER_CUBIC),
    )
    assert t.ResizeTransformer((11, 17), data_type="uint8")(image).dtype == np.uint8
    np.testing.assert_array_equal(
        t.PILResizeTransformer(10)(image),
        np.asarray(Pillow.fromarray(image).resize((15, 10), Pillow.Resampling.BILINEAR)),
    )
    assert t.PILResizeTransformer((8, 9))(image).shape == (8, 9, 3)
    grey = image[:, :, :1]
    np.testing.assert_array_equal(
        t.PILResizeTransformer(10)(grey)[:, :, 0],
        np.asarray(Pillow.fromarray(image[:, :, 0]).resize((15, 10), Pillow.Resampling.BILINEAR)),
    )
    np.testing.assert_array_equal(t.PILCenterCropTransformer(10)(grey), grey[5:15, 10:20])
    assert t.ShortSideResizeTransformer(40)(image).shape == (40, 60, 3)
    assert t.ShortSideResizeTransformer(40)(_image(30, 20)).shape == (60, 40, 3)


def test_short_long_gives_the_original_too() -> None:
    image = _image(20, 200)
    resized, original, label = t.ShortLongResizeTransformer(20, 100)([image, 7])
    assert resized.shape == (10, 100, 3)
    np.testing.assert_array_equal(original, image)
    assert label == 7
    assert len(t.ShortLongResizeTransformer(20, 100, include_im=False)([image])) == 1


def test_pads() -> None:
    image = np.full((20, 40, 3), 50, np.uint8)
    middle = t.PadResizeTransformer((60, 60))(image)
    assert middle.shape == (60, 60, 3)
    assert (middle[15:45] == 50).all()
    assert (middle[:15] == 127).all()
    assert (middle[45:] == 127).all()
    corner = t.PadResizeTransformer((60, 60), 0, "bottom_right")(image)
    assert (corner[:30] == 50).all()
    assert (corner[30:] == 0).all()
    padded = t.PadTransformer(size_divisor=16, target_size=60)(image)
    assert padded.shape == (32, 64, 3)
    assert (padded[:30, :60] == 50).all()
    assert padded[30:].max() == padded[:, 60:].max() == 0


@given(height=st.integers(1, 90), width=st.integers(1, 90), target=st.integers(1, 80))
def test_sizes_come_out_as_asked(height: int, width: int, target: int) -> None:
    image = _image(height, width)
    assert t.PadResizeTransformer((target, target))(image).shape == (target, target, 3)
    assert min(t.ShortSideResizeTransformer(target)(image).shape[:2]) == target
    padded = t.PadTransformer(8, target)(image).shape
    assert padded[0] % 8 == padded[1] % 8 == 0
    assert max(padded[:2]) == math.ceil(target / 8) * 8


def test_layouts() -> None:
    image = _image()
    np.testing.assert_array_equal(t.HWC2CHWTransformer()(image), image.transpose(2, 0, 1))
    np.testing.assert_array_equal(t.CHW2HWCTransformer()(t.HWC2CHWTransformer()(image)), image)
    np.testing.assert_array_equal(t.ReduceChannelTransformer("HWC")(image), image[:, :, :1])
    np.testing.assert_array_equal(
        t.TransposeTransformer((1, 2, 0))(image), image.transpose(1, 2, 0)
    )
    assert t.ReduceChannelTransformer()(image.transpose(2, 0, 1)).shape == (1, 20, 30)
    np.testing.assert_array_equal(t.RGB2BGRTransformer("HWC")(image), image[:, :, ::-1])
    np.testing.assert_array_equal(
        t.BGR2RGBTransformer()(image.transpose(2, 0, 1)), image.transpose(2, 0, 1)[::-1]
    )


def test_video_range_is_that_of_scikit_image() -> None:
    image = _image()
    ours = t.RGB2YUVBT601VIDEOTransformer("HWC")(image)
    theirs: Array = np.asarray(_color.rgb2ycbcr(image))
    # Its matrix has six digits.
    assert np.abs(ours - theirs).max() <= 0.5 + 1e-2
    np.testing.assert_array_equal(t.BGR2YUVBT601VIDEOTransformer("HWC")(image[:, :, ::-1]), ours)


def test_full_range_is_that_of_opencv() -> None:
    image = _image()
    ours = t.RGB2YUV444Transformer("HWC")(image)
    theirs = np.asarray(_cv2.cvtColor(image, _cv2.COLOR_RGB2YCrCb))[:, :, [0, 2, 1]]
    assert np.abs(ours - theirs).max() <= 1
    grey = t.RGB2GRAYTransformer("HWC")(image)[:, :, 0]
    assert np.abs(grey - np.asarray(_cv2.cvtColor(image, _cv2.COLOR_RGB2GRAY))).max() <= 1
    np.testing.assert_array_equal(t.BGR2YUV444Transformer("HWC")(image[:, :, ::-1]), ours)
    bgr = image[:, :, ::-1]
    np.testing.assert_array_equal(t.BGR2GRAYTransformer("HWC")(bgr)[:, :, 0], grey)
    np.testing.assert_array_equal(t.RGB2GRAY_128Transformer("HWC")(image)[:, :, 0], grey - 128)
    np.testing.assert_array_equal(t.RGB2YUV444_128Transformer("HWC")(image), ours - 128)
    np.testing.assert_array_equal(t.BGR2YUV444_128Transformer("HWC")(bgr), ours - 128)


def test_nv12_by_opencv_is_its_planar_form_interleaved() -> None:
    image = _image()
    ours = t.RGB2NV12Transformer("HWC", cvt_mode="opencv")(image)
    planar = np.asarray(_cv2.cvtColor(image, _cv2.COLOR_RGB2YUV_I420))
    assert ours.shape == (30, 30, 1)
    np.testing.assert_array_equal(ours[:20, :, 0], planar[:20])
    np.testing.assert_array_equal(ours[20:].reshape(-1)[::2], planar[20:].reshape(-1)[:150])
    np.testing.assert_array_equal(ours[20:].reshape(-1)[1::2], planar[20:].reshape(-1)[150:])
    video = np.asarray(_cv2.cvtColor(ours[:, :, 0], _cv2.COLOR_YUV2RGB_NV12))
    flat = np.full((20, 30, 3), (200, 30, 90), np.uint8)
    back = np.asarray(
        _cv2.cvtColor(
            t.RGB2NV12Transformer("HWC", "opencv")(flat)[:, :, 0], _cv2.COLOR_YUV2RGB_NV12
        )
    )
    assert video.shape == image.shape
    assert np.abs(back.astype(int) - flat).max() <= 2


def test_nv12_by_calculation_is_full_range_and_averages_chroma() -> None:
    image = _image()
    full = t.RGB2YUV444Transformer("HWC")(image)
    nv12 = t.RGB2NV12Transformer("HWC")(image)
    np.testing.assert_array_equal(nv12[:20, :, 0], full[:, :, 0])
    means = full[:, :, 1:].reshape(10, 2, 15, 2, 2).mean(axis=(1, 3))
    # The mean of rounded pixels is within a half of that of exact ones, and both round.
    assert np.abs(nv12[20:].reshape(10, 15, 2) - means).max() <= 1.0
    np.testing.assert_array_equal(t.BGR2NV12Transformer("HWC")(image[:, :, ::-1]), nv12)
    np.testing.assert_array_equal(
        t.RGB2NV12Transformer()(image.transpose(2, 0, 1)), nv12.transpose(2, 0, 1)
    )


def test_nv12_to_yuv444_repeats_chroma() -> None:
    nv12 = t.RGB2NV12Transformer("HWC")(_image())
    yuv = t.NV12ToYUV444Transformer((20, 30))(nv12)
    assert yuv.shape == (20, 30, 3)
    np.testing.assert_array_equal(yuv[:, :, 0], nv12[:20, :, 0])
    for dy in range(2):
        for dx in range(2):
            np.testing.assert_array_equal(yuv[dy::2, dx::2, 1:], nv12[20:].reshape(10, 15, 2))
    chw = t.NV12ToYUV444Transformer((20, 30), "CHW")(nv12)
    np.testing.assert_array_equal(chw, yuv.transpose(2, 0, 1))


def test_lists_batches_and_chains() -> None:
    images = np.stack([_image(seed=1), _image(seed=2)])
    batch = t.CenterCropTransformer(8)(images)
    np.testing.assert_array_equal(batch[1], t.CenterCropTransformer(8)(images[1]))
    first, label = t.CenterCropTransformer(8)([images[0], "cat"])
    np.testing.assert_array_equal(first, batch[0])
    assert label == "cat"
    steps = [t.ShortSideResizeTransformer(16), t.CenterCropTransformer(16), t.HWC2CHWTransformer()]
    assert t.run_transformers(steps, images[0]).shape == (3, 16, 16)


def _wrong(value: Any) -> Any:
    """A value of another type than is asked for."""
    return value


REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: t.CenterCropTransformer(40)(_image()), "can't cut 40x40 out of 20x30; resize before"),
    (lambda: t.PILCenterCropTransformer(40)(_image()), "can't cut 40 out of 20x30"),
    (lambda: t.CenterCropTransformer(0), "crop_size is 0, expected a positive integer"),
    (lambda: t.MeanTransformer([1, 2])(_image()), "2 numbers for 20 channels in CHW"),
    (lambda: t.MeanTransformer(1, "NHWC"), "data_format is 'NHWC', expected one of CHW, HWC"),
    (lambda: t.ResizeTransformer((4, 4), mode="pil"), "mode is 'pil'"),
    (lambda: t.ResizeTransformer((4, 4), method=9), "method is 9, expected 0...5"),
    (
        lambda: t.ResizeTransformer((4, 4), "opencv", interpolation=_cv2.INTER_AREA)(_image()),
        "expected nothing",
    ),
    (lambda: t.PadResizeTransformer((4, 4), pad_position="left"), "pad_position is 'left'"),
    (lambda: t.RGB2NV12Transformer("HWC")(_image(21)), "needs an even height and width, got 21x30"),
    (lambda: t.RGB2NV12Transformer("HWC", "fast"), "cvt_mode is 'fast'"),
    (lambda: t.RGB2BGRTransformer()(_image()), r"expected 3 channels in CHW, got \[20, 30, 3\]"),
    (lambda: t.NV12ToYUV444Transformer((3, 4)), "needs even sizes"),
    (lambda: t.NV12ToYUV444Transformer((4, 4))(_image()), "1800 values; 4x4 has 24"),
    (lambda: t.AddTransformer(1)(np.zeros((3, 3))), "expected an image of three axes"),
    (lambda: t.AddTransformer(1)([]), "no image to transform"),
    (lambda: t.AddTransformer(1)(np.full((2, 2, 3), None)), "expected an image of numbers"),
    (lambda: t.AddTransformer(_wrong("one")), "value is 'one', expected a number"),
    (lambda: t.MeanTransformer("1 2"), "means is '1 2', expected a number or several"),
    (lambda: t.ResizeTransformer(_wrong(5)), r"expected \(height, width\)"),
    (lambda: t.PILResizeTransformer(4)(_image(channels=7)), "1, 3 or 4 channels"),
    (lambda: t.NormalizeTransformer(0), "std holds 0"),
    (lambda: t.TransposeTransformer((0, 3, 1, 2)), "expected 0, 1 and 2 in some order"),
    (lambda: t.PILResizeTransformer(4, "best")(_image()), "interpolation is 'best'"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[text for _, text in REFUSED])
def test_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(t.TransformerError, match=message):
        call()


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(t.TransformerError, match=r"pip install 'hbir\[images\]'"):
        t.ShortSideResizeTransformer(8)(_image())

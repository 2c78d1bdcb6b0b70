"""What stands between the board and the model, for every type, layout, range, normalisation and batch.

The oracle is BT.601's definition of Y, U and V solved for R, G and B, and the formula of the YAML's
numbers, in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hbir.module import Module
from hbir.ptq.build.insert import insert_nodes
from hbir.ptq.inputs import CONVERSIONS, YUV_TYPES, InputSpec

Array = np.ndarray[Any, np.dtype[Any]]

PAIRS = [
    (train, runtime)
    for train, fed in CONVERSIONS.items()
    for runtime in sorted(fed)
    if train != "featuremap"
]
RED, GREEN, BLUE = 0.299, 0.587, 0.114
HEIGHT, WIDTH = 4, 6

numbers = st.floats(-300, 300, width=32).filter(lambda number: abs(number) > 1e-3)


@st.composite
def specs(draw: st.DrawFn) -> InputSpec:
    """An input as a YAML file could say it."""
    train, runtime = draw(st.sampled_from(PAIRS))
    layout, batch = draw(st.sampled_from(["NCHW", "NHWC"])), draw(st.integers(1, 3))
    channels = 1 if train == "gray" else 3
    counts = st.sampled_from(sorted({0, 1, channels}))
    mean, std = (
        tuple(draw(st.lists(numbers, min_size=count, max_size=count)))
        for count in (draw(counts), draw(counts))
    )
    plain = (HEIGHT, WIDTH, channels) if layout == "NHWC" else (channels, HEIGHT, WIDTH)
    video = runtime == "yuv_bt601_video" or (runtime == "nv12" and draw(st.booleans()))
    return InputSpec(
        name="x",
        shape=(batch, *plain),
        runtime_type=runtime,
        train_type=train,
        layout=layout,
        video_range=video,
        mean=mean,
        std=std,
        separate_batch=draw(st.booleans()),
    )


@settings(max_examples=50)
@given(spec=specs(), seed=st.integers(0, 99))
def test_what_the_board_feeds_becomes_what_the_model_takes(spec: InputSpec, seed: int) -> None:
    pixels = _pixels(spec, seed)
    shape = "x".join(map(str, spec.shape))
    module = Module.parse(f"""
    func.func @main(%x: tensor<{shape}xf32> {{hbir.name = "x"}})
        -> (tensor<{shape}xf32> {{hbir.name = "y"}}) {{
      %0 = hbir.neg %x : tensor<{shape}xf32>
      func.return %0 : tensor<{shape}xf32>
    }}""")
    function = insert_nodes(module, [spec]).functions[0]
    result = -function.feed(_feed(spec, pixels))["y"]
    wanted = (_trained(spec, pixels) - (spec.mean or 0.0)) / (spec.std or 1.0)
    if spec.layout == "NCHW":
        wanted = wanted.transpose(0, 3, 1, 2)
    np.testing.assert_allclose(result, wanted, rtol=1e-6, atol=1e-6 * np.abs(wanted).max())


def _pixels(spec: InputSpec, seed: int) -> Array:
    """(N, H, W, C) bytes of the runtime type; where it has planes, U and V the same in 2×2."""
    batch, channels = spec.shape[0], 1 if spec.train_type == "gray" else 3
    shape = (batch, HEIGHT, WIDTH, channels)
    pixels = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    if spec.runtime_type in YUV_TYPES:
        pixels[..., 1:] = pixels[:, ::2, ::2, 1:].repeat(2, axis=1).repeat(2, axis=2)
    return pixels


def _feed(spec: InputSpec, pixels: Array) -> dict[str, Array]:
    feed: dict[str, Array] = {}
    images = np.split(pixels, len(pixels)) if spec.separate_batch else [pixels]
    for i, image in enumerate(images):
        name = f"x_{i}" if spec.separate_batch else "x"
        if spec.runtime_type in YUV_TYPES:
            feed[f"{name}_y"], feed[f"{name}_uv"] = image[..., :1], image[:, ::2, ::2, 1:]
        elif spec.runtime_type == "gray":
            feed[f"{name}_y"] = image
        else:
            feed[name] = (image.astype(np.int16) - 128).astype(np.int8)
    return feed


def _trained(spec: InputSpec, pixels: Array) -> Array:
    """The pixels in the training type, float64."""
    values = pixels.astype(np.float64)
    if spec.train_type not in ("rgb", "bgr"):
        return values
    if spec.runtime_type in ("rgb", "bgr"):
        return values if spec.runtime_type == spec.train_type else values[..., ::-1]
    if spec.video_range:
        values = (values - [16, 128, 128]) * 255 / np.array([219, 224, 224]) + [0, 128, 128]
    luma, blue, red = (values - [0, 128, 128]).transpose(3, 0, 1, 2)
    r, b = luma + 2 * (1 - RED) * red, luma + 2 * (1 - BLUE) * blue
    g = (luma - RED * r - BLUE * b) / GREEN
    rgb = np.stack([r, g, b], axis=-1).clip(0, 255)
    return rgb if spec.train_type == "rgb" else rgb[..., ::-1]

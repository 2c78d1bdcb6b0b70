"""Networks fed by a camera's planes: the same bits on every level, and close to float."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import hbir
from hbir.module import Module
from tests.e2e.levels import MARCHES, Network, assert_levels_equal, cosine

TEXT = """
func.func @main(%y: tensor<1x16x24x1xui8> {{hbir.name = "y"}},
                %uv: tensor<1x8x12x2xui8> {{hbir.name = "uv"}})
    -> (tensor<1x{h}x{w}x8xf32> {{hbir.name = "out"}}) {{
  %0 = hbir.image_convert %y, %uv
      : (tensor<1x16x24x1xui8>, tensor<1x8x12x2xui8>) -> tensor<1x16x24x3xsi8>
  %1 = hbir.cast_type %0 : tensor<1x16x24x3xsi8> to tensor<1x16x24x3xf32>
  %2 = hbir.image_preprocess %1 {{csc = "{csc}", mean = {mean}, sd = {sd}}}
      : (tensor<1x16x24x3xf32>) -> tensor<1x16x24x3xf32>
  %w = hbir.constant dense<{weights}> : tensor<8x3x3x3xf32>
  %3 = hbir.conv2d %2, %w {{pad = [{pad}, {pad}, {pad}, {pad}]}}
      : (tensor<1x16x24x3xf32>, tensor<8x3x3x3xf32>) -> tensor<1x{h}x{w}x8xf32>
  %4 = hbir.relu %3 : tensor<1x{h}x{w}x8xf32>
  func.return %4 : tensor<1x{h}x{w}x8xf32>
}}
"""


def _feeds(
    count: int, seed: int
) -> list[dict[str, np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]]:
    generator = np.random.default_rng(seed)
    return [
        {
            "y": generator.integers(0, 256, (1, 16, 24, 1)).astype(np.uint8),
            "uv": generator.integers(0, 256, (1, 8, 12, 2)).astype(np.uint8),
        }
        for _ in range(count)
    ]


@pytest.mark.parametrize(
    ("csc", "mean", "sd", "pad", "convolutions"),
    [
        # Limits, then another normalisation for each channel, then a padded convolution: three.
        ("yuvbt601full2rgb", "[123.675, 116.28, 103.53]", "[58.0, 57.0, 57.0]", 1, 3),
        ("yuvbt601full2rgb", "[123.675, 116.28, 103.53]", "[58.0, 57.0, 57.0]", 0, 2),
        ("yuvbt601video2bgr", "[128.0]", "[128.0]", 1, 2),
        # Affine alone is absorbed, unless padding stands in the way.
        ("rgb2bgr", "[1.0, 2.0, 3.0]", "[4.0]", 0, 1),
        ("skip", "[1.0, 2.0, 3.0]", "[4.0]", 1, 2),
    ],
)
def test_levels_agree(
    tmp_path: Path, csc: str, mean: str, sd: str, pad: int, convolutions: int
) -> None:
    weights = np.random.default_rng(0).normal(size=(8, 3, 3, 3)).round(3).tolist()
    height, width = 14 + 2 * pad, 22 + 2 * pad
    text = TEXT.format(csc=csc, mean=mean, sd=sd, pad=pad, weights=weights, h=height, w=width)
    module = Module.parse(text)
    network = Network("camera", hbir.calibrate(module, _feeds(4, 0)), tmp_path)
    feeds = _feeds(2, 1)
    for march in MARCHES:
        assert_levels_equal(network, march, 2, feeds)
    quantized = network.quantized("nash-e").functions[0]
    statistics = quantized.statistics()
    assert statistics["bpu.conv2d"] == convolutions
    assert not any(name.startswith("hbtl") for name in statistics)
    for feed in feeds:
        expected = module.functions[0].feed(feed)["out"]
        assert cosine(expected, quantized.feed(feed)["out"]) > 0.9995

"""The observed means of inputs: where they are kept, and what convert makes of them."""

from typing import Any

import numpy as np
import pytest

from hbir.errors import HbirError
from hbir.ir.types import Array
from hbir.module import Module
from hbir.passes.gemm import as_gemm
from hbir.passes.observed import INPUT_MEAN_ATTRIBUTE, input_mean
from hbir.quantization.calibrate import calibrate
from hbir.quantization.convert import convert_module

CHANNELS = 64
# One weight of 1 sets the step to 1/127; the others are below half a step and round to nothing.
SMALL_WEIGHT = 0.003
WEIGHTS = np.array([1.0] + [SMALL_WEIGHT] * (CHANNELS - 1), np.float32)
LOST = SMALL_WEIGHT * (CHANNELS - 1)

CONV = """
func.func @net(%x: tensor<1x4x4x64xf32> {{hbir.name = "x"}}) -> tensor<1x4x4x1xf32> {{
  %w = hbir.constant dense<{weights}> : tensor<1x1x1x64xf32>
  %y = hbir.conv2d %x, %w : (tensor<1x4x4x64xf32>, tensor<1x1x1x64xf32>) -> tensor<1x4x4x1xf32>
  func.return %y : tensor<1x4x4x1xf32>
}}
"""
# Stride 2 and a 2x2 kernel: each output position is reached by one tap.
TRANSPOSED = """
func.func @net(%x: tensor<1x4x4x64xf32> {{hbir.name = "x"}}) -> tensor<1x8x8x1xf32> {{
  %w = hbir.constant dense<{weights}> : tensor<64x2x2x1xf32>
  %y = hbir.convtranspose %x, %w {{stride = [2, 2]}}
       : (tensor<1x4x4x64xf32>, tensor<64x2x2x1xf32>) -> tensor<1x8x8x1xf32>
  func.return %y : tensor<1x8x8x1xf32>
}}
"""


def _nested(array: Array) -> str:
    return str(array.tolist())


def _module(text: str) -> Module:
    if text is CONV:
        return Module.parse(text.format(weights=_nested(WEIGHTS.reshape(1, 1, 1, CHANNELS))))
    taps = np.broadcast_to(WEIGHTS.reshape(CHANNELS, 1, 1, 1), (CHANNELS, 2, 2, 1))
    return Module.parse(text.format(weights=_nested(taps)))


def _feed() -> dict[str, Any]:
    """Inputs around 1 in every channel."""
    noise = np.random.default_rng(0).uniform(-0.2, 0.2, (1, 4, 4, CHANNELS))
    return {"x": (1 + noise).astype(np.float32)}


def _mean_error(module: Module, **options: Any) -> float:
    """How far the mean of the int8 output is from that of the float output."""
    calibrated = calibrate(module, [_feed()], **options)
    (expected,) = module.functions[0].feed(_feed()).values()
    (found,) = convert_module(calibrated, "nash-e").functions[0].feed(_feed()).values()
    return abs(float(found.mean() - expected.mean()))


@pytest.mark.parametrize("text", [CONV, TRANSPOSED])
def test_the_bias_makes_up_for_what_rounded_weights_lose(text: str) -> None:
    module = _module(text)
    assert _mean_error(module, bias_correction=False) == pytest.approx(LOST, rel=0.05)
    assert _mean_error(module) < 0.02 * LOST


def test_means_are_kept_through_qat_only_where_asked_for() -> None:
    module = _module(CONV)
    for asked in (False, True):
        calibrated = calibrate(module, [_feed()], bias_correction=asked)
        (gemm,) = filter(None, map(as_gemm, calibrated.functions[0].operations))
        mean = input_mean(gemm, calibrated.weights)
        assert (mean is not None) == asked
        if mean is not None:
            np.testing.assert_allclose(mean, _feed()["x"].mean(axis=(0, 1, 2)), rtol=1e-6)


def test_a_mean_of_another_shape_is_refused() -> None:
    calibrated = calibrate(_module(CONV), [_feed()])
    (gemm,) = filter(None, map(as_gemm, calibrated.functions[0].operations))
    gemm.attributes[INPUT_MEAN_ATTRIBUTE] = calibrated.weights.attribute(np.zeros(3, np.float32))
    with pytest.raises(HbirError, match=r"input_mean must be \[64\], one number per input channel"):
        input_mean(gemm, calibrated.weights)

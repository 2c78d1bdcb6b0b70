"""Predicted times are those of the tiling search, by tensor."""

import numpy as np
import pytest

from hbir.backend.march import load_march
from hbir.backend.tiling import choose_tiling, estimate
from hbir.dialects.layers import body_ops, layer_of
from hbir.errors import HbirError
from hbir.module import Module
from hbir.quantization.calibrate import calibrate
from hbir.quantization.convert import convert_module
from hbir.quantization.predicted_time import added_time, layer_times, total_time

TEXT = """
func.func @net(%x: tensor<1x64x64x32xf32> {hbir.name = "x"}) -> tensor<1x64x64x32xf32> {
  %w = hbir.constant dense<0.01> : tensor<32x3x3x32xf32>
  %a = hbir.conv2d %x, %w {pad = [1, 1, 1, 1], origin = #hbir.origin<"a", from "first" "Conv">}
    : (tensor<1x64x64x32xf32>, tensor<32x3x3x32xf32>) -> tensor<1x64x64x32xf32>
  %b = hbir.sigmoid %a {origin = #hbir.origin<"b", from "last" "Sigmoid">}
    : tensor<1x64x64x32xf32>
  func.return %b : tensor<1x64x64x32xf32>
}
"""
X = np.random.default_rng(0).normal(size=(1, 64, 64, 32)).astype(np.float32)


def quantized(march: str, dtype: str) -> Module:
    return convert_module(calibrate(Module.parse(TEXT), [{"x": X}], dtype=dtype), march)


@pytest.mark.parametrize("march", ["nash-e", "nash-p"])
def test_times_are_the_tilings_cycles_at_the_marchs_clock(march: str) -> None:
    module = quantized(march, "int8")
    machine = load_march(march)
    times = layer_times(module)
    assert set(times) >= {"a", "b"}
    cycles = sum(
        estimate(machine, layer_of(found.op), choose_tiling(machine, layer_of(found.op), 1)).cycles
        for found in body_ops(module.functions[0].op)
        if found.is_layer
    )
    assert total_time(module) == pytest.approx(cycles / (1000 * machine.clock_ghz))


def test_int16_takes_longer_where_it_is_read() -> None:
    narrow, wide = (layer_times(quantized("nash-e", dtype)) for dtype in ("int8", "int16"))
    assert added_time(narrow, wide, "a") > 0
    assert added_time(wide, narrow, "a") == 0
    assert added_time(narrow, wide, "no tensor") == 0


def test_only_modules_of_a_march_have_times() -> None:
    with pytest.raises(HbirError, match="says no march"):
        layer_times(Module.parse(TEXT))

"""Equalizing changes weights, never an output."""

import numpy as np
import pytest

from hbir.ir.rewriter import Rewrite
from hbir.ir.types import Array
from hbir.module import Module
from hbir.passes.calibrate.equalize_layers import GREATEST_FACTOR, scalable_tensors, scale_tensor
from hbir.passes.gemm import GemmOp, as_gemm, largest_by_input_channel, largest_by_output_channel
from hbir.passes.pipelines import OPTIMIZE, run_pipeline
from hbir.quantization.calibrate import calibrate
from hbir.quantization.convert import convert_module
from hbir.quantization.observe import observe
from hbir.quantization.search import equalized, scaled_per_channel
from hbir.quantization.similarity import cosine_similarity
from hbir.quantization.statistics import Wanted

SHAPES = """
func.func @net(%x: tensor<1x8x8x4xf32> {hbir.name = "x"}) -> tensor<1x3xf32> {
  %w0 = hbir.constant dense<0.0> : tensor<8x3x3x4xf32>
  %b0 = hbir.constant dense<0.0> : tensor<8xf32>
  %w1 = hbir.constant dense<0.0> : tensor<8x3x3x1xf32>
  %w2 = hbir.constant dense<0.0> : tensor<8x1x1x4xf32>
  %w3 = hbir.constant dense<0.0> : tensor<8x2x2x3xf32>
  %a = hbir.conv2d %x, %w0, %b0 {pad = [1, 1, 1, 1]}
    : (tensor<1x8x8x4xf32>, tensor<8x3x3x4xf32>, tensor<8xf32>) -> tensor<1x8x8x8xf32>
  %r = hbir.relu %a : tensor<1x8x8x8xf32>
  %p = hbir.max_pool %r {kernel = [2, 2], stride = [2, 2]} : (tensor<1x8x8x8xf32>) -> tensor<1x4x4x8xf32>
  %d = hbir.conv2d %p, %w1 {pad = [1, 1, 1, 1], groupNum = 8 : i64}
    : (tensor<1x4x4x8xf32>, tensor<8x3x3x1xf32>) -> tensor<1x4x4x8xf32>
  %e = hbir.relu %d : tensor<1x4x4x8xf32>
  %g = hbir.conv2d %e, %w2 {groupNum = 2 : i64} : (tensor<1x4x4x8xf32>, tensor<8x1x1x4xf32>) -> tensor<1x4x4x8xf32>
  %t = hbir.convtranspose %g, %w3 {stride = [2, 2]}
    : (tensor<1x4x4x8xf32>, tensor<8x2x2x3xf32>) -> tensor<1x8x8x3xf32>
  %m = hbir.reduce_mean %t {dims = [1, 2], keepDim = false} : (tensor<1x8x8x3xf32>) -> tensor<1x3xf32>
  func.return %m : tensor<1x3xf32>
}
"""  # fmt: skip


def network(seed: int) -> Module:
    """A network whose channels have been driven apart, up to a thousandfold."""
    generator = np.random.default_rng(seed)
    module = Module.parse(SHAPES)
    for op in module.functions[0].operations:
        if op.name == "hbir.constant":
            shape = module.weights.array(op.properties["values"]).shape
            weights = generator.normal(size=shape).astype(np.float32)
            op.properties["values"] = module.weights.attribute(weights)
    run_pipeline(module.context, module.op, OPTIMIZE)
    rewrite, function = Rewrite(module.context), module.functions[0].op
    for tensor in list(scalable_tensors(function, rewrite)):
        scale_tensor(tensor, 10.0 ** generator.uniform(-1.5, 1.5, size=8), rewrite)
    return module


def _constant(module: Module, gemm: GemmOp) -> Array:
    weights = Rewrite(module.context).constant_value(gemm.w)
    assert weights is not None
    return weights


def images(count: int) -> list[dict[str, Array]]:
    generator = np.random.default_rng(9)
    return [{"x": generator.normal(size=(1, 8, 8, 4)).astype(np.float32)} for _ in range(count)]


@pytest.mark.parametrize("seed", range(3))
def test_outputs_are_the_same_bits_and_weights_are_even(seed: int) -> None:
    module = network(seed)
    changed = equalized(module)
    for batch in images(2):
        wanted = module.functions[0].feed(batch)
        found = changed.functions[0].feed(batch)
        assert all(np.array_equal(wanted[name], found[name]) for name in wanted)
    gemms = [g for op in changed.functions[0].operations if (g := as_gemm(op)) is not None]
    arrays = [_constant(changed, g) for g in gemms]
    for before, after, w, v in zip(gemms, gemms[1:], arrays, arrays[1:], strict=False):
        given, read = largest_by_output_channel(before, w), largest_by_input_channel(after, v)
        ratio = given / read
        assert ratio.min() > 1 / 4 or ratio.min() * GREATEST_FACTOR**2 < 4
        assert ratio.max() < 4 or ratio.max() / GREATEST_FACTOR**2 > 1 / 4


def test_activations_per_channel_fill_their_range_and_lose_less() -> None:
    module = network(1)
    seen = observe(module, images(8), Wanted(channels=True))
    scaled = scaled_per_channel(module, seen)
    after = observe(scaled, images(8), Wanted(channels=True))
    spreads: list[list[float]] = []
    for found in (seen, after):
        pairs = [s.channels for s in found.tensors.values() if s.channels is not None]
        magnitudes = [np.maximum(np.abs(low), np.abs(high)) for low, high in pairs]
        spreads.append([float(m.max() / m.min()) for m in magnitudes if m.size == 8])
    assert max(spreads[0]) > 50
    for before, after in zip(*spreads, strict=True):
        assert after <= 2 * max(1.0, before / GREATEST_FACTOR)
    cosines: list[float] = []
    for candidate in (module, scaled):
        integers = convert_module(calibrate(candidate, images(8)), "nash-e").functions[0]
        pairs = [(module.functions[0].feed(i), integers.feed(i)) for i in images(4)]
        cosines.append(
            min(cosine_similarity(*(next(iter(o.values())) for o in pair)) for pair in pairs)
        )
    assert cosines[1] > cosines[0]

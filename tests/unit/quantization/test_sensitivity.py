"""What single roundings cost, and which of several ranges costs less, tensor by tensor."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from hbir.ir.function import body_of
from hbir.ir.types import Array
from hbir.module import Module
from hbir.passes.observed import Ranges, write_observed
from hbir.quantization.calibrate import optimized
from hbir.quantization.candidates import candidates_of
from hbir.quantization.sensitivity import best_of, losses_of, noise_of

TEXT = """
func.func @net(%x: tensor<1x4x4x2xf32> {hbir.name = "x"}) -> tensor<1x4x4x2xf32> {
  %w = hbir.constant dense<[[[[1.0, 0.3]]], [[[0.2, -1.0]]]]> : tensor<2x1x1x2xf32>
  %a = hbir.conv2d %x, %w {origin = #hbir.origin<"a", from "first" "Conv">}
    : (tensor<1x4x4x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x4x4x2xf32>
  %b = hbir.hard_swish %a {origin = #hbir.origin<"b", from "middle" "HardSwish">}
    : tensor<1x4x4x2xf32>
  func.return %b : tensor<1x4x4x2xf32>
}
"""


def observed(x: float, a: float, b: float) -> Module:
    """The network with ±x, ±a and ±b as its ranges."""
    module = optimized(Module.parse(TEXT))
    function = module.functions[0].op
    block = body_of(function)
    ops = {op.name: op for op in block.ops if op.results}
    ranges: Ranges = {
        block.args[0]: (-x, x),
        ops["hbir.conv2d"].results[0]: (-a, a),
        ops["hbir.hard_swish"].results[0]: (-b, b),
    }
    write_observed(function, ranges)
    return module


def samples(count: int) -> list[list[Array]]:
    generator = np.random.default_rng(5)
    return [[generator.uniform(-4, 4, size=(1, 4, 4, 2)).astype(np.float32)] for _ in range(count)]


def test_the_loss_is_that_of_one_rounding_alone() -> None:
    module = observed(4.0, 400.0, 6.0)
    candidates = candidates_of(module, asymmetric=False)
    losses = dict(zip(candidates, losses_of(module, candidates, samples(1)), strict=True))
    worst = max(losses, key=lambda candidate: losses[candidate])
    assert (worst.name, worst.is_weights) == ("first", False), "a hundred times too coarse"
    by_name = {(c.name, c.is_weights): loss for c, loss in losses.items()}
    x = samples(1)[0][0]
    low, high = next(c.narrow for c in candidates if c.name == "x")
    step = (high - low) / 255
    rounded = np.clip(np.rint(x / step), -128, 127) * step
    function = module.functions[0]
    wanted, found = (
        next(iter(function.feed({"x": array.astype(np.float32)}).values())).ravel().astype(float)
        for array in (x, rounded)
    )
    cosine = wanted @ found / np.sqrt((wanted @ wanted) * (found @ found))
    assert by_name["x", False] == pytest.approx(1 - cosine, rel=1e-3)


def test_workers_find_the_same_losses() -> None:
    module = observed(4.0, 8.0, 6.0)
    candidates = candidates_of(module, asymmetric=False)
    with ThreadPoolExecutor(2) as executor:
        found = losses_of(module, candidates, samples(2), executor)
    assert found == losses_of(module, candidates, samples(2))


def test_the_best_way_is_chosen_tensor_by_tensor() -> None:
    ways = [observed(4.0, 400.0, 6.0), observed(0.5, 6.0, 6.0), observed(40.0, 60.0, 0.1)]
    best = best_of(ways, samples(2), asymmetric=False)
    numbers = {"x": 0, "a": 2, "b": 3}  # arguments, then results: %w, %a, %b
    assert {name: best[number] for name, number in numbers.items()} == {"x": 0, "a": 1, "b": 0}


def test_noise_tells_coarse_ranges_from_fine_ones() -> None:
    module = observed(4.0, 400.0, 6.0)
    candidates = candidates_of(module, asymmetric=False)
    noise = dict(zip(candidates, noise_of(module, candidates, samples(1)[0]), strict=True))
    worst = max(noise, key=lambda candidate: noise[candidate])
    assert (worst.name, worst.is_weights) == ("first", False)
    x = samples(1)[0][0].astype(np.float64)
    step = 4 / 127
    expected = np.sum((x - np.rint(x / step) * step) ** 2) / np.sum(x**2)
    by_name = {c.name: share for c, share in noise.items() if not c.is_weights}
    assert by_name["x"] == pytest.approx(expected, rel=1e-3)

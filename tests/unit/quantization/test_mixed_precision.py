"""The automatic choice of int16: the fewest that reach the target, the same each time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.errors import HbirError
from hbir.module import Module
from hbir.quantization import mixed_precision
from hbir.quantization.calibrate import BATCHES_KEPT, calibrate
from hbir.quantization.candidates import Candidate
from hbir.quantization.convert import convert_module
from hbir.quantization.mixed_precision import Chosen, by_gain
from hbir.quantization.similarity import Similarity

# Input channel 0 is a thousand times channel 1, which alone decides the output: int8 has one scale
# for both. The second layer is harmless.
TEXT = """
func.func @net(%x: tensor<1x4x4x2xf32> {hbir.name = "x"}) -> tensor<1x4x4x2xf32> {
  %w = hbir.constant dense<[[[[0.0, 1.0]]], [[[0.0, -1.0]]]]> : tensor<2x1x1x2xf32>
  %v = hbir.constant dense<[[[[1.0, 0.5]]], [[[0.25, 1.0]]]]> : tensor<2x1x1x2xf32>
  %a = hbir.conv2d %x, %w {origin = #hbir.origin<"a", from "first" "Conv">}
    : (tensor<1x4x4x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x4x4x2xf32>
  %b = hbir.tanh %a {origin = #hbir.origin<"b", from "middle" "Tanh">} : tensor<1x4x4x2xf32>
  %c = hbir.conv2d %b, %v {origin = #hbir.origin<"c", from "second" "Conv">}
    : (tensor<1x4x4x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x4x4x2xf32>
  func.return %c : tensor<1x4x4x2xf32>
}
"""


def batches(count: int) -> Iterator[dict[str, Any]]:
    generator = np.random.default_rng(3)
    for _ in range(count):
        x = generator.normal(size=(1, 4, 4, 2)) * [1000.0, 1.0]
        yield {"x": x.astype(np.float32)}


def cosine_to_float(calibrated: Module) -> float:
    similarity = Similarity()
    reference, integer = Module.parse(TEXT), convert_module(calibrated, "nash-e")
    for batch in batches(4):
        found = [module.functions[0].feed(batch) for module in (reference, integer)]
        similarity.add(*([*outputs.values()] for outputs in found))
    return similarity.least()


def wide(module: Module) -> list[str]:
    """The fake-quants of 16 bits, as text."""
    ops = module.functions[0].operations
    return [str(op) for op in ops if isinstance(op, ConstFakeQuantOp) and op.params()["bits"] == 16]


def test_it_widens_what_costs_most_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    narrow = calibrate(Module.parse(TEXT), batches(20))
    assert cosine_to_float(narrow) < 0.99
    with caplog.at_level(logging.INFO, "hbir.calibrate"):
        calibrated = calibrate(Module.parse(TEXT), batches(20), target_cosine=0.999)
    assert cosine_to_float(calibrated) >= 0.999
    assert len(wide(calibrated)) == 1
    assert "qnt.const_fake_quant %x" in wide(calibrated)[0]
    assert "with int16 for 1, as dtype = {" in caplog.text
    assert '"x": {"output": "int16"},  # cost' in caplog.text
    again = calibrate(Module.parse(TEXT), batches(20), dtype={"x": {"output": "int16"}})
    assert again.asm(elide=False) == calibrated.asm(elide=False)


# As a transformer's class token: small numbers beside large ones that don't matter, in one tensor.
TOKEN = """
func.func @net(%x: tensor<1x1x4xf32> {hbir.name = "x"}) -> tensor<1x2x4xf32> {
  %w = hbir.constant dense<[[1.0, 0.5, 0.0, 0.0], [0.0, 1.0, 0.5, 0.0],
                            [0.0, 0.0, 1.0, 0.5], [0.5, 0.0, 0.0, 1.0]]> : tensor<4x4xf32>
  %token = hbir.constant dense<[[[0.1, -0.2, 0.3, 0.25]]]> : tensor<1x1x4xf32>
  %first = hbir.constant dense<[[[1.0], [0.0]]]> : tensor<1x2x1xf32>
  %a = hbir.linear %x, %w {origin = #hbir.origin<"a", from "patches" "Gemm">}
    : (tensor<1x1x4xf32>, tensor<4x4xf32>) -> tensor<1x1x4xf32>
  %b = hbir.concat %token, %a {dim = 1, origin = #hbir.origin<"b", from "join" "Concat">}
    : (tensor<1x1x4xf32>, tensor<1x1x4xf32>) -> tensor<1x2x4xf32>
  %c = hbir.mul %b, %first {origin = #hbir.origin<"c", from "last" "Mul">}
    : (tensor<1x2x4xf32>, tensor<1x2x1xf32>) -> tensor<1x2x4xf32>
  func.return %c : tensor<1x2x4xf32>
}
"""


def test_a_constant_is_rounded_with_what_it_is_joined_to() -> None:
    (row,) = np.random.default_rng(4).normal(size=(1, 4)) * 100
    samples = [{"x": row.reshape(1, 1, 4).astype(np.float32)}]
    assert not wide(calibrate(Module.parse(TOKEN), samples))
    calibrated = calibrate(Module.parse(TOKEN), samples, target_cosine=0.999)
    assert len(wide(calibrated)) == 1, "the concat, whose other operand alone costs nothing"


# Two outputs: errors are measured before the softmax, and at the end of the other branch.
BRANCHES = """
func.func @net(%x: tensor<1x4x4x2xf32> {hbir.name = "x"})
    -> (tensor<1x4x4x2xf32>, tensor<1x4x4x2xf32>) {
  %w = hbir.constant dense<[[[[0.0, 1.0]]], [[[0.5, -1.0]]]]> : tensor<2x1x1x2xf32>
  %a = hbir.conv2d %x, %w {origin = #hbir.origin<"a", from "first" "Conv">}
    : (tensor<1x4x4x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x4x4x2xf32>
  %b = hbir.softmax %a {origin = #hbir.origin<"b", from "classes" "Softmax">} : tensor<1x4x4x2xf32>
  %c = hbir.tanh %x {origin = #hbir.origin<"c", from "other" "Tanh">} : tensor<1x4x4x2xf32>
  %d = hbir.conv2d %c, %w {origin = #hbir.origin<"d", from "second" "Conv">}
    : (tensor<1x4x4x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x4x4x2xf32>
  %e = hbir.sigmoid %d {origin = #hbir.origin<"e", from "last" "Sigmoid">} : tensor<1x4x4x2xf32>
  func.return %b, %e : tensor<1x4x4x2xf32>, tensor<1x4x4x2xf32>
}
"""


def test_errors_behind_a_measured_place_are_measured_at_the_others() -> None:
    calibrated = calibrate(Module.parse(BRANCHES), batches(8), target_cosine=0.9999)
    assert any("%x" in text for text in wide(calibrated))


def test_the_same_data_give_the_same_choice() -> None:
    first, second = (
        calibrate(Module.parse(TEXT), batches(3), target_cosine=0.999).asm(elide=False)
        for _ in range(2)
    )
    assert first == second


def test_nothing_is_widened_where_int8_is_enough() -> None:
    assert not wide(calibrate(Module.parse(TEXT), batches(3), target_cosine=0.01))


def test_what_the_user_chose_stays(caplog: pytest.LogCaptureFixture) -> None:
    calibrated = calibrate(
        Module.parse(TEXT),
        batches(3),
        dtype={"x": "int8", "second": {"input1": "int16"}},
        target_cosine=0.999,
    )
    assert "out of reach" in caplog.text
    assert not any("%x" in text for text in wide(calibrated))
    assert any("narrowRange" in text for text in wide(calibrated))


def test_few_batches_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    choose = mixed_precision.choose_widths

    def spy(observed: Module, samples: Any, *rest: Any, **options: Any) -> Any:
        seen.append(len(samples))
        return choose(observed, samples, *rest, **options)

    monkeypatch.setattr("hbir.quantization.calibrate.choose_widths", spy)
    calibrate(Module.parse(TEXT), batches(50), target_cosine=0.9)
    assert seen == [BATCHES_KEPT]


@pytest.mark.parametrize("target", [0.0, 1.0, 2.0])
def test_a_target_is_a_cosine(target: float) -> None:
    with pytest.raises(HbirError, match="target_cosine must be above 0 and below 1"):
        calibrate(Module.parse(TEXT), batches(1), target_cosine=target)


@given(st.lists(st.floats(0, 0.1), min_size=1, max_size=40), st.floats(0.8, 0.999))
def test_the_bisection_finds_the_least_count(losses: list[float], target: float) -> None:
    losses = sorted(losses, reverse=True)
    asked: list[int] = []

    def cosine(count: int) -> float:
        asked.append(count)
        return 1 - sum(losses[count:]) / 2  # half as bad as the sum of single losses

    count = mixed_precision.fewest(cosine, losses, target)
    enough = [n for n in range(1, len(losses) + 1) if 1 - sum(losses[n:]) / 2 >= target]
    assert count == max(enough[0], 1)
    assert len(asked) <= 10


def test_a_loss_is_weighed_by_the_time_that_taking_it_back_adds() -> None:
    def order(*losses_and_times: tuple[float, float]) -> list[tuple[float, float]]:
        items = [
            Chosen(Candidate("x", (), is_weights=False), loss, added_us)
            for loss, added_us in losses_and_times
        ]
        return [(item.loss, item.added_us) for item in by_gain(items)]

    assert order((0.1, 8.0), (0.1, 1.0), (0.2, 1.0)) == [(0.2, 1.0), (0.1, 1.0), (0.1, 8.0)]
    assert order((0.1, 90.0), (0.05, 0.0)) == [(0.05, 0.0), (0.1, 90.0)]
    # Less time than none is none; it counts as the typical 2 µs, the other as 6.
    assert order((0.1, -50.0), (0.4, 4.0)) == [(0.4, 4.0), (0.1, -50.0)]


def test_the_cosine_is_that_of_the_worst_output() -> None:
    similarity = Similarity()
    zeros, x, y = np.zeros(2), np.array([1.0, 0.0]), np.array([1.0, 1.0])
    similarity.add([x, zeros], [y, zeros])
    similarity.add([x, zeros], [x, zeros])
    assert similarity.least() == pytest.approx(2 / np.sqrt(2 * 3))
    similarity.add([x, x], [x, zeros])
    assert similarity.least() == 0


def test_integers_count_by_equality() -> None:
    similarity = Similarity()
    similarity.add([np.array([1, 2, 3, 4])], [np.array([1, 2, 3, 5])])
    assert similarity.least() == 0.75

"""`calibrate`: what it places, and how it refuses bad batches."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

from hbir.dialects.qnt import ConstFakeQuantOp
from hbir.errors import HbirError
from hbir.module import Module
from hbir.quantization.calibrate import calibrate
from hbir.quantization.convert import convert_module

TEXT = """
func.func @net(%x: tensor<1x4x4x2xf32> {hbir.name = "x"}) -> tensor<1x4x4x2xf32> {
  %w = hbir.constant dense<0.5> : tensor<2x1x1x2xf32>
  %a = hbir.conv2d %x, %w : (tensor<1x4x4x2xf32>, tensor<2x1x1x2xf32>) -> tensor<1x4x4x2xf32>
  %b = hbir.relu %a : tensor<1x4x4x2xf32>
  %c = hbir.hard_swish %b : tensor<1x4x4x2xf32>
  func.return %c : tensor<1x4x4x2xf32>
}
"""
GOOD = np.linspace(-1, 1, 32, dtype=np.float32).reshape(1, 4, 4, 2)


def test_it_leaves_the_float_module_alone_and_reads_batches_once() -> None:
    module = Module.parse(TEXT)
    before = str(module)
    seen: list[int] = []

    def batches() -> object:
        for index in range(3):
            seen.append(index)
            yield {"x": GOOD * (index + 1)}

    calibrated = calibrate(module, batches(), asymmetric=False)  # pyright: ignore[reportArgumentType]  (a generator)
    assert seen == [0, 1, 2]
    assert str(module) == before
    assert calibrated.level == "qat"
    assert "observed" not in str(calibrated)
    counts = calibrated.functions[0].statistics()
    assert counts["qnt.const_fake_quant"] == 3  # input, after relu, after hard swish
    first = next(op for op in calibrated.functions[0].operations if op.name != "hbir.constant")
    assert isinstance(first, ConstFakeQuantOp)
    assert first.params()["max"] == pytest.approx([3.0])  # the largest input of the third batch


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({"y": GOOD}, "calibration batch 1: inputs unknown 'y'; missing 'x'"),
        ({"x": GOOD[0]}, r"calibration batch 1: input 'x' has shape \[4, 4, 2\], expected"),
        ({"x": GOOD.astype(complex)}, "calibration batch 1: input 'x' has dtype complex128"),
        ({"x": GOOD * np.nan}, "calibration batch 1: input 'x' holds nan or inf"),
        (GOOD, "calibration batch 1 is a ndarray; expected a mapping from input names"),
    ],
)
def test_a_bad_batch_is_refused_by_name(batch: object, message: str) -> None:
    with pytest.raises(HbirError, match=message):
        calibrate(Module.parse(TEXT), [batch])  # pyright: ignore[reportArgumentType]  (bad input)


@pytest.mark.parametrize("method", ["max", "kl"])
def test_memory_does_not_grow_with_the_number_of_batches(method: str) -> None:
    side = 128
    text = TEXT.replace("1x4x4x2", f"1x{side}x{side}x2")

    def peak(count: int) -> int:
        batches = ({"x": np.full((1, side, side, 2), i, np.float32)} for i in range(count))
        tracemalloc.start()
        try:
            calibrate(Module.parse(text), batches, method)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, batch = peak(8), side * side * 2 * 4
    assert peak(64) < few + 8 * batch, "56 batches more are seven times that"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target_cosine": "a"}, "target_cosine must be above 0 and below 1, got 'a'"),
        ({"dtype": 5}, "dtype: expected a type or a mapping from nodes to types, got 5"),
        ({"dtype": {"x": 5}}, "dtype of 'x': expected a type or a mapping, got 5"),
        ({"dtype": {"x": {"input0": "int16"}}}, "dtype of 'x': an input of the network has output"),
        ({"method": "kl", "num_bin": "a"}, "num_bin must be a number, got 'a'"),
    ],
)
def test_options_of_other_types_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(HbirError, match=message):
        calibrate(Module.parse(TEXT), [{"x": GOOD}], **options)


def test_no_batches_are_refused() -> None:
    with pytest.raises(HbirError, match="calibrate got no batches"):
        calibrate(Module.parse(TEXT), [])


def test_levels_are_checked() -> None:
    calibrated = calibrate(Module.parse(TEXT), [{"x": GOOD}])
    with pytest.raises(HbirError, match="calibrate takes a float module, this one is qat"):
        calibrate(calibrated, [{"x": GOOD}])
    with pytest.raises(HbirError, match=r"this one has none; run hbir\.calibrate"):
        convert_module(Module.parse(TEXT), "nash-e")
    with pytest.raises(HbirError, match="this one is quantized"):
        convert_module(convert_module(calibrated, "nash-e"), "nash-e")


def test_optimizing_a_calibrated_module_again_changes_nothing() -> None:
    from hbir.passes.pipelines import OPTIMIZE, run_pipeline

    calibrated = calibrate(Module.parse(TEXT), [{"x": GOOD}])
    again = calibrated.clone()
    run_pipeline(again.context, again.op, OPTIMIZE)
    assert again.asm(elide=False) == calibrated.asm(elide=False)


def test_convert_gives_the_same_text_each_time() -> None:
    calibrated = calibrate(Module.parse(TEXT), [{"x": GOOD}])
    first, second = (convert_module(calibrated, "nash-e").asm(elide=False) for _ in range(2))
    assert first == second

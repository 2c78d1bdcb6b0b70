"""Evaluation on a data set, here and by workers."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

import hbir
import hbir.onnx
from hbir.ptq.evaluate import SAMPLES_PER_ITEM, evaluate, outputs_on
from hbir.ptq.executors import executor_of
from tests.e2e import mnist

COUNT = 2 * SAMPLES_PER_ITEM + 3


def quantized() -> hbir.Module:
    module = hbir.onnx.export(mnist.MODEL)
    return hbir.convert(hbir.calibrate(module, mnist.feeds(mnist.digits("calib")[0][:8])), "nash-e")


def test_the_mean_score_is_that_of_a_loop_whoever_runs_it() -> None:
    images, labels = mnist.digits("test")
    feeds = mnist.feeds(images[:COUNT])
    module = quantized()

    def score(outputs: dict[str, Any], label: int) -> float:
        return float(outputs[mnist.OUTPUT_NAME].argmax() == label)

    function = module.functions[0]
    wanted = [function.feed(feed) for feed in feeds]
    mean = float(np.mean([score(o, y) for o, y in zip(wanted, labels, strict=False)]))
    pairs = list(zip(feeds, labels[:COUNT], strict=True))
    assert evaluate(module, pairs, score) == mean
    with ThreadPoolExecutor(2) as threads:
        assert evaluate(module, pairs, score, threads) == mean
    with executor_of(2) as processes:
        found = list(outputs_on(module, iter(feeds), processes))
    assert len(found) == COUNT
    for one, other in zip(wanted, found, strict=True):
        assert np.array_equal(one[mnist.OUTPUT_NAME], other[mnist.OUTPUT_NAME])


def test_arrays_may_come_in_the_same_memory() -> None:
    module, feeds = quantized(), mnist.feeds(mnist.digits("test")[0][:COUNT])
    buffer = {name: np.empty_like(array) for name, array in feeds[0].items()}

    def frames() -> Iterator[dict[str, Any]]:
        for feed in feeds:
            for name, array in feed.items():
                buffer[name][:] = array
            yield buffer

    pairs = zip(outputs_on(module, feeds), outputs_on(module, frames()), strict=True)
    assert all(np.array_equal(a[mnist.OUTPUT_NAME], b[mnist.OUTPUT_NAME]) for a, b in pairs)


def test_no_data_have_no_score() -> None:
    def score(outputs: dict[str, Any], label: int) -> float:
        return float(label == len(outputs))

    assert math.isnan(evaluate(quantized(), [], score))

"""One architecture from the torch module to the simulated program."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch.utils import _pytree as pytree

import hbir
import hbir.torch
from benchmarks.architectures.networks import Variant
from tests.e2e.levels import Feed, Network, assert_levels_equal, cosine
from tests.e2e.placement import cpu_calls

CALIBRATION_INPUTS = 8
"""Ranges of short sequences need as many: on two, the small LSTM's int8 has a cosine of 0.7."""


@dataclass(frozen=True)
class Record:
    """What came of an architecture; times are wall-clock seconds of this machine."""

    parameters: int
    float_difference: float
    int8_cosine: float
    bpu_ops: int
    cpu_ops: dict[str, int]
    equal_bits: bool
    export_seconds: float
    convert_seconds: float
    compile_seconds: float


def exported(variant: Variant) -> tuple[torch.nn.Module, hbir.Module]:
    """The network, and its float-level module."""
    module = variant.module()
    return module, hbir.torch.export(module, (variant.example(),))


def feed_of(module: hbir.Module, array: np.ndarray[Any, Any]) -> Feed:
    """The one input by its name."""
    (port,) = module.functions[0].flatten_inputs
    return {port.name: array}


def inputs(variant: Variant, count: int) -> list[np.ndarray[Any, Any]]:
    """Random inputs, the same ones every time."""
    random = np.random.default_rng(0)
    return [random.standard_normal(variant.shape).astype(np.float32) for _ in range(count)]


def eager_outputs(module: torch.nn.Module, array: np.ndarray[Any, Any]) -> list[Any]:
    """What PyTorch computes, flattened."""
    with torch.no_grad():
        return [leaf.numpy() for leaf in pytree.tree_leaves(module(torch.tensor(array)))]


def difference(wanted: list[Any], found: Feed) -> float:
    """The greatest absolute difference of any element of any output."""
    if len(wanted) != len(found):
        raise ValueError(f"{len(found)} outputs, expected {len(wanted)}")
    pairs = zip(wanted, found.values(), strict=True)
    return max(float(np.abs(want - got).max()) for want, got in pairs)


def measure(name: str, variant: Variant, march: str, opt: int) -> Record:
    """Export, calibrate, convert, compile and run a network."""
    start = time.perf_counter()
    module, exported_module = exported(variant)
    export_seconds = time.perf_counter() - start
    *calibration, evaluation = inputs(variant, CALIBRATION_INPUTS + 1)
    feed = feed_of(exported_module, evaluation)
    float_outputs = exported_module.functions[0].feed(feed)
    start = time.perf_counter()
    feeds = [feed_of(exported_module, array) for array in calibration]
    calibrated = hbir.calibrate(exported_module, feeds)
    with TemporaryDirectory() as folder:
        network = Network(name.replace("/", "-"), calibrated, Path(folder))
        quantized = network.quantized(march)
        convert_seconds = time.perf_counter() - start
        start = time.perf_counter()
        network.program(march, opt)
        compile_seconds = time.perf_counter() - start
        outputs = network.run_quantized(march, feed)
        equal = _levels_agree(network, march, opt, feed)
    return Record(
        sum(parameter.numel() for parameter in module.parameters()),
        difference(eager_outputs(module, evaluation), float_outputs),
        min(cosine(float_outputs[port], outputs[port]) for port in outputs),
        sum(op.name.startswith("bpu.") for op in quantized.functions[0].operations),
        dict(Counter(f"{_function(op)} ({reason})" for op, reason in cpu_calls(quantized))),
        equal,
        export_seconds,
        convert_seconds,
        compile_seconds,
    )


def _levels_agree(network: Network, march: str, opt: int, feed: Feed) -> bool:
    try:
        assert_levels_equal(network, march, opt, [feed])
    except AssertionError:
        return False
    return True


def _function(op: Any) -> str:
    return op.properties["signature"].data.partition("::")[2]

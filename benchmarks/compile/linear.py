"""Does compiling stay linear? A network of residual blocks, and the same with ten times the blocks.

python -m benchmarks.compile.linear

Prints the median seconds of `hbir.compile` at O2 for both, in turn, and their ratio. Exits with 1
when ten times the layers take more than eleven times as long.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

import hbir
import hbir.onnx

_make: Any = helper

BLOCKS, TIMES = 10, 10
RATIO_LIMIT = 11.0
REPEATS = 5
MARCH = "nash-e"
CHANNELS, SIDE = 64, 28


def network(blocks: int) -> ModelProto:
    """`blocks` times conv, relu, conv, add of the block's input, relu; random weights."""
    random = np.random.default_rng(0)
    nodes: list[Any] = []
    weights: list[Any] = []
    x = "x"
    for block in range(blocks):
        for name in (f"a{block}", f"b{block}"):
            values = random.normal(0, 0.03, (CHANNELS, CHANNELS, 3, 3)).astype(np.float32)
            weights.append(numpy_helper.from_array(values, f"{name}.weight"))
        nodes += [
            _make.make_node("Conv", [x, f"a{block}.weight"], [f"a{block}"], pads=[1] * 4),
            _make.make_node("Relu", [f"a{block}"], [f"r{block}"]),
            _make.make_node("Conv", [f"r{block}", f"b{block}.weight"], [f"b{block}"], pads=[1] * 4),
            _make.make_node("Add", [f"b{block}", x], [f"s{block}"]),
            _make.make_node("Relu", [f"s{block}"], [f"y{block}"]),
        ]
        x = f"y{block}"
    shape = [1, CHANNELS, SIDE, SIDE]
    ports = [_make.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("x", x)]
    graph = _make.make_graph(nodes, "blocks", ports[:1], ports[1:], weights)
    return _make.make_model(graph, opset_imports=[_make.make_opsetid("", 17)], ir_version=8)


def quantized(blocks: int) -> hbir.Module:
    """The network in integers, its ranges from one random input."""
    image = np.random.default_rng(1).normal(size=(1, CHANNELS, SIDE, SIDE)).astype(np.float32)
    calibrated = hbir.calibrate(hbir.onnx.export(network(blocks)), [{"x": image}])
    return hbir.convert(calibrated, MARCH)


def main() -> int:
    """Exit code: 0 within the limit, 1 beyond it."""
    modules = {blocks: quantized(blocks) for blocks in (BLOCKS, BLOCKS * TIMES)}
    seconds: dict[int, list[float]] = {blocks: [] for blocks in modules}
    with tempfile.TemporaryDirectory(prefix="hbir-linear-") as folder:
        for _ in range(REPEATS):
            for blocks, module in modules.items():
                start = time.perf_counter()
                hbir.compile(module, Path(folder, "blocks.hbm"), MARCH)
                seconds[blocks].append(time.perf_counter() - start)
    medians = {blocks: statistics.median(found) for blocks, found in seconds.items()}
    ratio = medians[BLOCKS * TIMES] / medians[BLOCKS]
    for blocks, median in medians.items():
        print(f"{2 * blocks} convolutions: {median:.3f} s")
    print(f"{TIMES} times the layers take {ratio:.1f} times as long (limit {RATIO_LIMIT:.0f})")
    return 0 if ratio <= RATIO_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())

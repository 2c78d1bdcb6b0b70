"""An architecture in plain torch, at its small size, from export to equal bits."""

from pathlib import Path

import hbir
from benchmarks.architectures import measure
from benchmarks.architectures.networks import ARCHITECTURES
from tests.e2e.levels import MARCHES, OPTIMIZATION_LEVELS, Network, assert_levels_equal
from tests.e2e.placement import assert_cpu_ops_give_reasons

FLOAT_TOLERANCE = 1e-4
"""Most that an output may differ from PyTorch's own."""

CONFIGURATIONS = [(march, opt) for opt in reversed(OPTIMIZATION_LEVELS) for march in MARCHES]


def check_architecture(name: str, folder: Path) -> None:
    """Float as PyTorch computes it; the levels agree on one march and -O level, each network on
    another one."""
    variant = ARCHITECTURES[name].small
    march, opt = CONFIGURATIONS[list(ARCHITECTURES).index(name) % len(CONFIGURATIONS)]
    module, exported = measure.exported(variant)
    *calibration, evaluation = measure.inputs(variant, 3)
    feed = measure.feed_of(exported, evaluation)
    outputs = exported.functions[0].feed(feed)
    assert measure.difference(measure.eager_outputs(module, evaluation), outputs) <= FLOAT_TOLERANCE
    feeds = [measure.feed_of(exported, array) for array in calibration]
    network = Network(name.replace("/", "-"), hbir.calibrate(exported, feeds), folder)
    assert_cpu_ops_give_reasons(network.quantized(march))
    assert any(op.name.startswith("bpu.") for op in network.quantized(march)[0].operations)
    assert_levels_equal(network, march, opt, [feed])

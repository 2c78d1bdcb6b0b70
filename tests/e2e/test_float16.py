"""TAE's ops in int8 and all others in float16, as transformers run on the marches that have it."""

from pathlib import Path

import pytest

import hbir
from benchmarks.architectures import measure
from benchmarks.architectures.networks import ARCHITECTURES
from hbir.errors import HbirError
from hbir.ir.origin import origin_of_op
from tests.e2e.levels import Network, assert_levels_equal
from tests.e2e.placement import cpu_calls

PRODUCTS = {"conv2d", "linear", "matmul"}
"""Types of the nodes that TAE computes, as PyTorch calls them."""

LEVELS = {"ViT-S/16": ("nash-p", 2), "Swin-T": ("nash-b", 1), "ConvNeXt": ("nash-h", 2)}

INPUTS = 4


def node_types(module: hbir.Module) -> dict[str, str]:
    """Source node → operator, of a float module."""
    origins = filter(None, map(origin_of_op, module.functions[0].operations))
    return {node.name: node.type for origin in origins for node in origin.nodes}


@pytest.mark.parametrize("name", LEVELS)
def test_all_but_products_in_float16(name: str, tmp_path: Path) -> None:
    """Closer to float than int8, all on the BPU, the same bits at every level."""
    variant = ARCHITECTURES[name].small
    _, exported = measure.exported(variant)
    *calibration, evaluation = measure.inputs(variant, INPUTS)
    feeds = [measure.feed_of(exported, array) for array in calibration]
    feed = measure.feed_of(exported, evaluation)
    dtype = {node: "float16" for node, kind in node_types(exported).items() if kind not in PRODUCTS}
    (wanted,) = exported.functions[0].feed(feed).values()

    def error(network: Network) -> float:
        (found,) = network.run_quantized(march, feed).values()
        return float(((found - wanted) ** 2).sum() / (wanted**2).sum())

    march, opt = LEVELS[name]
    narrow = Network("int8", hbir.calibrate(exported, feeds), tmp_path)
    mixed = Network("mixed", hbir.calibrate(exported, feeds, dtype=dtype), tmp_path)
    assert list(cpu_calls(mixed.quantized(march))) == []
    assert error(mixed) < error(narrow)
    assert_levels_equal(mixed, march, opt, [feed])
    with pytest.raises(HbirError, match=r"is float16, which nash-m doesn't have"):
        mixed.quantized("nash-m")

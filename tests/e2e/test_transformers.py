"""ViT-S/16 and Swin-T at their published sizes, random weights: all on the BPU, equal bits.

Their small variants, on other marches and -O levels, are in `test_image_classifiers.py`.
"""

from functools import partial
from pathlib import Path

import pytest

import hbir
from benchmarks.architectures import measure
from benchmarks.architectures.networks import Variant
from benchmarks.models.swin import swin
from benchmarks.models.vit import vit
from tests.e2e.architectures import FLOAT_TOLERANCE
from tests.e2e.levels import Network, assert_levels_equal, cosine
from tests.e2e.placement import cpu_calls

IMAGE = (1, 3, 224, 224)
NETWORKS = {
    "ViT-S-16": Variant(partial(vit, "small"), IMAGE),
    "Swin-T": Variant(swin, IMAGE),
}

INT8_COSINE = 0.98
"""Least cosine of the int8 logits to float. Random weights: 0.991 and 0.9999 were measured."""


@pytest.mark.parametrize("name", NETWORKS)
def test_a_transformer_of_published_size(name: str, tmp_path: Path) -> None:
    variant = NETWORKS[name]
    module, exported = measure.exported(variant)
    *calibration, evaluation = measure.inputs(variant, 3)
    feed = measure.feed_of(exported, evaluation)
    outputs = exported.functions[0].feed(feed)
    assert measure.difference(measure.eager_outputs(module, evaluation), outputs) <= FLOAT_TOLERANCE
    feeds = [measure.feed_of(exported, array) for array in calibration]
    network = Network(name, hbir.calibrate(exported, feeds), tmp_path)
    assert list(cpu_calls(network.quantized("nash-e"))) == []
    quantized = network.run_quantized("nash-e", feed)
    assert cosine(outputs["output"], quantized["output"]) >= INT8_COSINE
    assert_levels_equal(network, "nash-e", 2, [feed])

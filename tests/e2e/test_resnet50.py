"""A ResNet-50-shaped network compiles, and all its levels give the same bits.

Its weights are random, so nothing is said about accuracy.
"""

from pathlib import Path

import numpy as np

from tests.e2e.levels import Network, assert_levels_equal
from tests.e2e.placement import assert_cpu_ops_give_reasons
from tests.models import resnet50

MARCH = "nash-e"


def test_levels_give_the_same_bits(tmp_path: Path) -> None:
    calibration = resnet50.noise_images(4, seed=1)
    network = Network.calibrate(
        "resnet50",
        resnet50.build(),
        [{resnet50.INPUT_NAME: image[np.newaxis]} for image in calibration],
        tmp_path,
    )
    assert_cpu_ops_give_reasons(network.quantized(MARCH))
    feed = {resnet50.INPUT_NAME: resnet50.noise_images(1, seed=2)}
    assert_levels_equal(network, MARCH, 2, [feed])
    logits = network.run_program(MARCH, 2, feed)[resnet50.OUTPUT_NAME]
    assert logits.std() > 0.1, "the logits hardly differ: the bits compared say little"

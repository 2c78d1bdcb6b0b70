"""MobileNetV2 with its ImageNet weights names three photos it was not calibrated on."""

import pytest

from tests.e2e.levels import Network, assert_disjoint, assert_levels_equal
from tests.e2e.placement import assert_cpu_ops_give_reasons
from tests.models import mobilenetv2, photos

MARCH = "nash-e"
WORDS = [word for _, _, word in photos.KNOWN_PHOTOS.values()]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return Network.calibrate(
        "mobilenetv2",
        mobilenetv2.build(),
        [{mobilenetv2.INPUT_NAME: image} for image in photos.calibration_photos()],
        tmp_path_factory.mktemp("mobilenetv2"),
    )


def test_calibration_and_evaluation_are_disjoint() -> None:
    known = [image for _, _, image in photos.known_photos()]
    assert_disjoint(photos.calibration_photos(), known)


@pytest.mark.parametrize("word", WORDS)
def test_names_the_photo(network: Network, word: str) -> None:
    """Judged on the program; its bits equal the other levels'."""
    ((label, image),) = [(label, x) for name, label, x in photos.known_photos() if name == word]
    feed = {mobilenetv2.INPUT_NAME: image}
    assert_levels_equal(network, MARCH, 2, [feed])
    logits = network.run_program(MARCH, 2, feed)[mobilenetv2.OUTPUT_NAME]
    assert int(logits.argmax()) == label


def test_everything_is_on_the_bpu_or_says_why(network: Network) -> None:
    assert_cpu_ops_give_reasons(network.quantized(MARCH))

"""The bundled model: accuracy of the int8 network, and equal bits on every level.

A slice of the test images per march and -O level keeps this file quick; `acceptance.py` runs all
images on all twelve.
"""

import numpy as np
import pytest

import hbir.onnx
from tests.e2e import mnist
from tests.e2e.levels import (
    MARCHES,
    OPTIMIZATION_LEVELS,
    Network,
    assert_disjoint,
    assert_levels_equal,
    assert_same_bits,
)
from tests.models.float_reference import FloatReference

# The most int8 may lose against float, as a fraction of the images: half a point.
ACCURACY_LOSS = 0.005
IMAGES_PER_CONFIGURATION = 6
CONFIGURATIONS = [(march, opt) for march in MARCHES for opt in OPTIMIZATION_LEVELS]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return mnist.calibrated_network(tmp_path_factory.mktemp("mnist"))


def test_bundled_images_are_as_documented() -> None:
    calib, calib_labels = mnist.digits("calib")
    test, test_labels = mnist.digits("test")
    assert calib.shape == (200, 1, 28, 28)
    assert test.shape == (1000, 1, 28, 28)
    assert calib.dtype == test.dtype == np.float32
    assert np.bincount(test_labels).tolist() == [100] * 10
    assert np.bincount(calib_labels).tolist() == [20] * 10
    assert 0.0 <= test.min() < test.max() <= 1.0
    assert_disjoint(calib, test)


def test_float_level_equals_onnxruntime() -> None:
    """Import alone changes nothing: the float interpreter against onnxruntime."""
    reference = FloatReference(mnist.MODEL)
    function = hbir.onnx.export(str(mnist.MODEL)).functions[0]
    for feed in mnist.feeds(mnist.digits("test")[0][:4]):
        expected = reference(feed)[mnist.OUTPUT_NAME]
        np.testing.assert_allclose(
            function.feed(feed)[mnist.OUTPUT_NAME], expected, rtol=1e-4, atol=1e-4
        )


def test_interface_keeps_the_names_and_shapes_of_the_source(network: Network) -> None:
    function = network.quantized("nash-e").functions[0]
    graph = network.program("nash-e", 2).graphs[0]
    for level in (function, graph):
        (image,) = level.flatten_inputs
        (logits,) = level.flatten_outputs
        assert (image.name, tuple(image.type.shape)) == ("image", (1, 1, 28, 28))
        assert (logits.name, tuple(logits.type.shape)) == ("logits", (1, 10))
        assert image.type.np_dtype == logits.type.np_dtype == np.float32


def test_int8_is_within_half_a_point_of_float_on_all_images(network: Network) -> None:
    """Accuracy is judged on the program: the simulator labels all 1,000 images."""
    images, labels = mnist.digits("test")
    reference = FloatReference(mnist.MODEL)
    float_hits = int8_hits = 0
    for feed, label in zip(mnist.feeds(images), labels, strict=True):
        quantized = network.run_quantized("nash-e", feed)
        program = network.run_program("nash-e", 2, feed)
        assert_same_bits(quantized, program, "program of mnist on nash-e at O2")
        float_hits += int(reference(feed)[mnist.OUTPUT_NAME].argmax() == label)
        int8_hits += int(program[mnist.OUTPUT_NAME].argmax() == label)
    assert int8_hits >= float_hits - ACCURACY_LOSS * len(labels), (
        f"int8 labels {int8_hits} of {len(labels)} correctly, float {float_hits}"
    )


@pytest.mark.parametrize(("march", "opt"), CONFIGURATIONS)
def test_all_levels_give_the_same_bits(network: Network, march: str, opt: int) -> None:
    """Each configuration gets images of its own."""
    first = CONFIGURATIONS.index((march, opt)) * IMAGES_PER_CONFIGURATION
    images = mnist.digits("test")[0][first : first + IMAGES_PER_CONFIGURATION]
    assert len(images) == IMAGES_PER_CONFIGURATION
    assert_levels_equal(network, march, opt, mnist.feeds(images))

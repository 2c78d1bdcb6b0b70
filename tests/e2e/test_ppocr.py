"""PP-OCR v4 and v5 on rendered text: the direction of lines, the map of a page's text, and reading.

Calibration lines and pages are drawn from other seeds than those judged.
"""

from typing import Any

import numpy as np
import pytest

from hbir.dialects.qnt import ConstFakeQuantOp
from tests.e2e.levels import (
    Array,
    Network,
    assert_disjoint,
    assert_levels_equal,
    cosine,
)
from tests.e2e.placement import assert_cpu_ops_give_reasons
from tests.models import ppocr
from tests.models.float_reference import FloatReference

MARCH = "nash-e"
CALIBRATION_SEED, EVALUATION_SEED = 1, 7
CALIBRATION_LINES, EVALUATION_LINES = 32, 100
CALIBRATION_PAGES, EVALUATION_PAGES = 16, 16
# Detection has tensors whose channels differ a hundredfold in range, mostly in its first layers:
# a few of them need 16 bits (docs/user-guide.md has figures).
DETECTION_CALIBRATION: dict[str, Any] = {"target_cosine": 0.99}
LINES_AGREEING = 98
READ_LINES = 200
# Characters read right may be half a point fewer than float reads.
ACCURACY_LOSS = 0.005
# The last blocks of recognition are transformers, which lose most at 8 bits.
RECOGNITION_CALIBRATION: dict[str, Any] = {"target_cosine": 0.99}
MAP_COSINE = 0.98
# What a search may widen of the 130 tensors and 70 layers: nearly all stays int8.
WIDE_MOST = 20
# How many of the evaluation inputs also run on the scheduled level and in the simulator.
LINES_ON_ALL_LEVELS = 2
PAGES_ON_ALL_LEVELS = 1


def _only_output(outputs: dict[str, Array]) -> Array:
    (value,) = outputs.values()
    return value


@pytest.fixture(scope="module", params=["v4", "v5"])
def direction(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Network, FloatReference]:
    path = ppocr.DIRECTION[request.param].path()
    lines, _ = ppocr.direction_lines(CALIBRATION_LINES, CALIBRATION_SEED)
    network = Network.calibrate(
        f"direction_{request.param}",
        path,
        [{ppocr.INPUT_NAME: line} for line in lines],
        tmp_path_factory.mktemp("direction"),
        {ppocr.INPUT_NAME: ppocr.DIRECTION_SHAPE},
    )
    return network, FloatReference(path)


@pytest.fixture(scope="module", params=["v4", "v5"])
def detection(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Network, FloatReference]:
    path = ppocr.DETECTION[request.param].path()
    pages = ppocr.detection_pages(CALIBRATION_PAGES, CALIBRATION_SEED)
    network = Network.calibrate(
        f"detection_{request.param}",
        path,
        [{ppocr.INPUT_NAME: page} for page in pages],
        tmp_path_factory.mktemp("detection"),
        {ppocr.INPUT_NAME: ppocr.DETECTION_SHAPE},
        **DETECTION_CALIBRATION,
    )
    return network, FloatReference(path)


def test_calibration_and_evaluation_are_disjoint() -> None:
    assert_disjoint(
        ppocr.direction_lines(CALIBRATION_LINES, CALIBRATION_SEED)[0],
        ppocr.direction_lines(EVALUATION_LINES, EVALUATION_SEED)[0],
    )
    assert_disjoint(
        ppocr.detection_pages(CALIBRATION_PAGES, CALIBRATION_SEED),
        ppocr.detection_pages(EVALUATION_PAGES, EVALUATION_SEED),
    )


def test_direction_agrees_with_float(direction: tuple[Network, FloatReference]) -> None:
    network, reference = direction
    lines, labels = ppocr.direction_lines(EVALUATION_LINES, EVALUATION_SEED)
    agreeing = correct = 0
    for line, label in zip(lines, labels, strict=True):
        feed = {ppocr.INPUT_NAME: line}
        wanted = int(_only_output(reference(feed)).argmax())
        found = int(_only_output(network.run_quantized(MARCH, feed)).argmax())
        agreeing += int(found == wanted)
        correct += int(wanted == label)
    assert correct >= LINES_AGREEING, f"float itself reads {correct} of {len(lines)} lines"
    assert agreeing >= LINES_AGREEING, f"{agreeing} of {len(lines)} lines agree with float"


def test_direction_has_the_same_bits_on_all_levels(
    direction: tuple[Network, FloatReference],
) -> None:
    lines, _ = ppocr.direction_lines(LINES_ON_ALL_LEVELS, EVALUATION_SEED)
    feeds = [{ppocr.INPUT_NAME: line} for line in lines]
    assert_levels_equal(direction[0], MARCH, 2, feeds)


def test_direction_is_on_the_bpu_or_says_why(direction: tuple[Network, FloatReference]) -> None:
    assert_cpu_ops_give_reasons(direction[0].quantized(MARCH))


def test_detection_maps_are_close_to_float(detection: tuple[Network, FloatReference]) -> None:
    """One cosine over the maps of all pages."""
    network, reference = detection
    wanted: list[Array] = []
    found: list[Array] = []
    for index, page in enumerate(ppocr.detection_pages(EVALUATION_PAGES, EVALUATION_SEED)):
        feed = {ppocr.INPUT_NAME: page}
        wanted.append(_only_output(reference(feed)))
        found.append(_only_output(network.run_quantized(MARCH, feed)))
        assert float(np.max(wanted[-1])) > 0.9, f"float finds no text on page {index}"
    similarity = cosine(np.stack(wanted), np.stack(found))
    assert similarity >= MAP_COSINE, f"cosine of {len(wanted)} maps is {similarity:.4f}"


def test_detection_is_nearly_all_int8(detection: tuple[Network, FloatReference]) -> None:
    fake_quants = [
        op.params()["bits"]
        for op in detection[0].calibrated.functions[0].operations
        if isinstance(op, ConstFakeQuantOp)
    ]
    assert 0 < fake_quants.count(16) <= WIDE_MOST, f"{fake_quants.count(16)} have 16 bits"


def test_detection_has_the_same_bits_on_all_levels(
    detection: tuple[Network, FloatReference],
) -> None:
    pages = ppocr.detection_pages(PAGES_ON_ALL_LEVELS, EVALUATION_SEED)
    assert_levels_equal(detection[0], MARCH, 2, [{ppocr.INPUT_NAME: page} for page in pages])


def test_detection_is_on_the_bpu_or_says_why(detection: tuple[Network, FloatReference]) -> None:
    assert_cpu_ops_give_reasons(detection[0].quantized(MARCH))


@pytest.fixture(scope="module", params=["v4", "v5"])
def recognition(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Network, FloatReference]:
    path = ppocr.RECOGNITION[request.param].path()
    lines, _ = ppocr.recognition_lines(CALIBRATION_LINES, CALIBRATION_SEED)
    network = Network.calibrate(
        f"recognition_{request.param}",
        path,
        [{ppocr.INPUT_NAME: line} for line in lines],
        tmp_path_factory.mktemp("recognition"),
        {ppocr.INPUT_NAME: ppocr.RECOGNITION_SHAPE},
        **RECOGNITION_CALIBRATION,
    )
    return network, FloatReference(path)


def test_recognition_reads_nearly_as_well_as_float(
    recognition: tuple[Network, FloatReference],
) -> None:
    network, reference = recognition
    known = ppocr.characters(network.name.removeprefix("recognition_"))
    lines, texts = ppocr.recognition_lines(READ_LINES, EVALUATION_SEED)
    assert_disjoint(ppocr.recognition_lines(CALIBRATION_LINES, CALIBRATION_SEED)[0], lines)
    wanted = ppocr.character_accuracy(reference, lines, texts, known)
    found = ppocr.character_accuracy(
        lambda feed: network.run_quantized(MARCH, feed), lines, texts, known
    )
    assert wanted > 0.98, f"float itself reads {wanted:.4f} of the characters"
    assert found >= wanted - ACCURACY_LOSS, f"{found:.4f} of the characters, float {wanted:.4f}"


def test_recognition_has_the_same_bits_on_all_levels(
    recognition: tuple[Network, FloatReference],
) -> None:
    lines, _ = ppocr.recognition_lines(LINES_ON_ALL_LEVELS, EVALUATION_SEED)
    feeds = [{ppocr.INPUT_NAME: line} for line in lines]
    assert_levels_equal(recognition[0], MARCH, 2, feeds)


def test_recognition_is_on_the_bpu_or_says_why(
    recognition: tuple[Network, FloatReference],
) -> None:
    assert_cpu_ops_give_reasons(recognition[0].quantized(MARCH))

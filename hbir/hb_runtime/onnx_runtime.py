"""`.onnx` in onnxruntime; without it in hbir's interpreter, which then says so in the log.

onnxruntime is told to compute QuantizeLinear and DequantizeLinear as they stand: it would replace
them and what is between by integer kernels of its own, whose rounding differs.
"""

from __future__ import annotations

import logging
import os
from typing import Any

import numpy as np
from typing_extensions import override

from hbir.errors import HbirError
from hbir.files import map_file
from hbir.hb_runtime.base import HBRuntime, Shape
from hbir.interface import Array, QuantInfo

LOG = logging.getLogger("hbir")

_DTYPES = {
    "float": "float32",
    "double": "float64",
    "bool": "bool",
    **{
        name: name
        for kind in ("int", "uint")
        for name in (f"{kind}{bits}" for bits in (8, 16, 32, 64))
    },
    "float16": "float16",
}
"""onnxruntime's names of element types → NumPy's."""

_ERRORS_ONLY = 3


class HB_ONNXRuntime(HBRuntime):
    """An ONNX model."""

    def __init__(self, model: str | os.PathLike[str]) -> None:
        super().__init__(model)
        self.session: Any = _session(self.model_path)
        if self.session is None:
            from hbir.onnx import export

            LOG.info("onnxruntime is not installed: %s runs in hbir's interpreter", self.model_path)
            self._function = export(model).functions[0]
            self._set_ports(self._function.flatten_inputs, self._function.flatten_outputs)
            return
        inputs, outputs = self.session.get_inputs(), self.session.get_outputs()
        self.input_names = [port.name for port in inputs]
        self.output_names = [port.name for port in outputs]
        self.input_shapes = [_shape(port.shape) for port in inputs]
        self.output_shapes = [_shape(port.shape) for port in outputs]
        self.input_types = [self._dtype(port) for port in inputs]
        self.output_types = [self._dtype(port) for port in outputs]
        self.input_quants = [QuantInfo()] * len(inputs)
        self.output_quants = [QuantInfo()] * len(outputs)

    def _dtype(self, port: Any) -> np.dtype[Any]:
        element = str(port.type).removeprefix("tensor(").removesuffix(")")
        if element not in _DTYPES:
            raise HbirError(
                f"{self.model_path}: {port.name!r} is a {port.type}, not a tensor of numbers"
            )
        return np.dtype(_DTYPES[element])

    @override
    def _run(self, feed: dict[str, Array]) -> dict[str, Array]:
        if self.session is None:
            return self._function.feed(feed)
        return dict(
            zip(self.output_names, run_session(self.session, feed, self.model_path), strict=True)
        )


def make_session(model: bytes | str, label: str) -> Any:
    """onnxruntime's session of a model, its bytes or path; None where onnxruntime isn't installed.

    Raises HbirError for a model that it can't run.
    """
    try:
        import onnxruntime  # pyright: ignore[reportMissingTypeStubs]  # ships no types
    except ImportError:
        return None
    runtime: Any = onnxruntime
    options = runtime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    try:
        return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own, without a common base
        raise HbirError(f"{label}: onnxruntime can't load it: {_reason(error)}") from error


def _session(path: str) -> Any:
    if not len(map_file(path)):
        raise HbirError(f"{path}: the file is empty, expected an ONNX model")
    return make_session(path, path)


def run_session(session: Any, feed: dict[str, Array], label: str) -> list[Array]:
    """All outputs of a session. Raises HbirError where the model fails."""
    try:
        return list(session.run(None, feed))
    except Exception as error:
        raise HbirError(f"{label}: onnxruntime fails: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _shape(dims: Any) -> Shape:
    return tuple(dim if isinstance(dim, int) else None for dim in dims)

"""What a model file says of itself: its inputs, before anything is known of open dimensions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from onnx import TensorProto

from hbir.errors import HbirError
from hbir.ptq.inputs import ModelInput, model_inputs_of

SUFFIXES = (".onnx", ".bc")
FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16)


def model_inputs(path: str | Path) -> tuple[ModelInput, ...]:
    """Names and shapes of an ONNX model's inputs, or of a .bc's first function.

    Initializers that older ONNX files list among the inputs are none. Raises HbirError.
    """
    suffix = Path(path).suffix
    if suffix == ".bc":
        from hbir.api import load

        ports = load(path).functions[0].flatten_inputs
        return tuple(
            ModelInput(port.name, port.type.shape, port.type.np_dtype.kind == "f") for port in ports
        )
    if suffix != ".onnx":
        raise HbirError(f"Unsupport model {path}: expected one of {', '.join(SUFFIXES)}")
    from hbir.frontends.onnx.proto import dims_of, load_model

    proto, _ = load_model(str(path))
    constants = {tensor.name for tensor in proto.graph.initializer}
    given = [port for port in proto.graph.input if port.name not in constants]
    floats = {port.name for port in given if port.type.tensor_type.elem_type in FLOATS}
    inputs = model_inputs_of((port.name, dims_of(port.type) or ()) for port in given)
    return tuple(replace(port, is_float=port.name in floats) for port in inputs)


def march_of(path: str | Path | None) -> str | None:
    """What a .bc was converted for; None for any other file, and before conversion."""
    if path is None or Path(path).suffix != ".bc":
        return None
    from hbir.api import load

    march = load(path).march
    return None if march is None else march.value

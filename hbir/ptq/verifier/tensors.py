"""A model's tensors on its way from inputs to outputs, by the names of the user's model.

ONNX files say of a tensor that was renamed or transposed which one it is (metadata that
hbir/exporters/onnx writes); modules say it in their origins. The simulator of a compiled model sees
tiles, not tensors: of an .hbm there are outputs only.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, ValueInfoProto, external_data_helper

from hbir.exporters.onnx.graph import PERM, SOURCE
from hbir.files import read_file
from hbir.frontends.onnx.proto import load_model
from hbir.hb_runtime import HB_HBIRRuntime, HB_ONNXRuntime, HBRuntime
from hbir.hb_runtime.onnx_runtime import make_session, run_session
from hbir.interface import Array
from hbir.module import Module
from hbir.onnx import export
from hbir.ptq.tensors import run_source_tensors

Tensors = dict[str, Array]
"""By source tensor name, float32, in the source's layout, in the order in which they are made."""


def source_tensors(runtime: HBRuntime, feed: Mapping[str, Array]) -> Tensors | None:
    """The tensors of a run; None for a compiled model. A tensor that is made several times (first
    exact, then rounded) is what later ops read."""
    if isinstance(runtime, HB_HBIRRuntime):
        return _of_module(runtime.module, runtime.bound(feed))
    if isinstance(runtime, HB_ONNXRuntime):
        return _of_onnx(runtime, runtime.bound(feed))
    return None


def _of_module(module: Module, feed: Mapping[str, Array]) -> Tensors:
    tensors: Tensors = {}

    def keep(name: str, array: Array) -> None:
        tensors.pop(name, None)
        tensors[name] = array.copy()

    run_source_tensors(module, feed, keep)
    return tensors


def _of_onnx(runtime: HB_ONNXRuntime, feed: dict[str, Array]) -> Tensors:
    if runtime.session is None:
        return _of_module(export(runtime.model_path), feed)
    model = _all_as_outputs(runtime.model_path)
    session: Any = make_session(model.SerializeToString(), runtime.model_path)
    infos = {info.name: info for info in model.graph.value_info}
    tensors: Tensors = {}
    arrays: list[Any] = run_session(session, feed, runtime.model_path)
    for output, array in zip(session.get_outputs(), arrays, strict=True):
        if not _is_float(array):
            continue
        name, value = _in_source_layout(infos.get(output.name), output.name, array)
        tensors.pop(name, None)
        tensors[name] = value.astype(np.float32, copy=False)
    return tensors


def _is_float(value: Any) -> bool:
    """Whether onnxruntime gave an array of floats, not a sequence or integers."""
    return getattr(getattr(value, "dtype", None), "kind", "") == "f"


def _all_as_outputs(path: str) -> ModelProto:
    """The model with every node's results as outputs, in the nodes' order."""
    model = _with_functions(path)
    names = [name for node in model.graph.node for name in node.output if name]
    ports = {port.name: port for port in model.graph.output}
    kept = [ports.get(name) or ValueInfoProto(name=name) for name in names]
    rest = [port for name, port in ports.items() if name not in set(names)]
    del model.graph.output[:]
    model.graph.output.extend([*kept, *rest])
    return model


def _with_functions(path: str) -> ModelProto:
    """The model of a file, its local functions kept: inlined they would bring tensors of their own.

    Raises HbirError as `load_model`, which checks the file.
    """
    load_model(path)
    model = ModelProto()
    model.ParseFromString(read_file(path))
    external_data_helper.load_external_data_for_model(model, str(Path(path).parent))
    return model


def _in_source_layout(info: ValueInfoProto | None, name: str, array: Array) -> tuple[str, Array]:
    said = {} if info is None else {entry.key: entry.value for entry in info.metadata_props}
    if PERM in said:
        perm = [int(axis) for axis in said[PERM].split(",")]
        if sorted(perm) == list(range(array.ndim)):
            array = array.transpose(np.argsort(perm))
    return said.get(SOURCE, name), array

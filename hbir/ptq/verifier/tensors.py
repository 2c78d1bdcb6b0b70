"""A model's tensors on its way from inputs to outputs, by the names of the user's model.

ONNX files say of a tensor that was renamed or transposed which one it is (metadata that
hbir/exporters/onnx writes); modules say it in their origins, and a .hbm in its debug table, by
which the simulator puts tensors together from the tiles that instructions write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, ValueInfoProto, external_data_helper

from hbir.exporters.onnx.graph import PERM, SOURCE
from hbir.files import read_file
from hbir.frontends.onnx.proto import load_model
from hbir.hb_runtime import HB_HBIRRuntime, HB_HBMRuntime, HB_ONNXRuntime, HBRuntime
from hbir.hb_runtime.onnx_runtime import make_session, run_session
from hbir.interface import Array
from hbir.module import Module
from hbir.onnx import export
from hbir.ptq.tensors import run_compiled_tensors, run_source_tensors

Tensors = dict[str, Array]
"""By source tensor name, float32, in the source's layout, in the order in which they are made."""


@dataclass(frozen=True)
class Run:
    """What a model made of its inputs: its outputs by name, and its tensors."""

    outputs: Mapping[str, Array]
    tensors: Tensors


def run_model(runtime: HBRuntime, feed: Mapping[str, Array]) -> Run:
    """A run with its tensors. One that is made several times (first exact, then rounded) is what
    later ops read."""
    if isinstance(runtime, HB_HBIRRuntime):
        return _of_module(runtime.module, runtime.bound(feed))
    if isinstance(runtime, HB_HBMRuntime):
        tensors = _Kept()
        outputs = run_compiled_tensors(runtime.graph, runtime.bound(feed), tensors.keep)
        return Run(outputs, tensors.arrays)
    assert isinstance(runtime, HB_ONNXRuntime)  # there are no others
    return _of_onnx(runtime, runtime.bound(feed))


class _Kept:
    """The latest array of each name, in the order in which these came."""

    def __init__(self) -> None:
        self.arrays: Tensors = {}

    def keep(self, name: str, array: Array) -> None:
        self.arrays.pop(name, None)
        self.arrays[name] = array.copy()


def _of_module(module: Module, feed: Mapping[str, Array]) -> Run:
    tensors = _Kept()
    outputs = run_source_tensors(module, feed, tensors.keep)
    return Run(outputs, tensors.arrays)


def _of_onnx(runtime: HB_ONNXRuntime, feed: dict[str, Array]) -> Run:
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
    # as users run it: with all tensors as outputs onnxruntime couldn't fuse as it does otherwise
    outputs = dict(zip(runtime.output_names, runtime.run(None, feed), strict=True))
    return Run(outputs, tensors)


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

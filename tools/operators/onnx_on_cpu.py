"""The ONNX operators that hbir has no ops for, and that the CPU can compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test import loader

from hbir.dialects.layers import CPU_CALL
from hbir.errors import HbirError
from hbir.frontends.onnx.registry import import_functions
from hbir.kernels.onnx_reference import evaluator
from hbir.onnx import export

_loader: Any = loader


def operators_on_cpu() -> list[str]:
    """Those with a case in ONNX's own node tests that imports and computes what ONNX says.

    All inputs but the first are constants, for they tell the shapes of many results.
    """
    known = import_functions()
    found: set[str] = set()
    for case in _loader.load_model_tests(kind="node"):
        nodes = case.model.graph.node
        if len(nodes) != 1 or nodes[0].domain or nodes[0].op_type in known:
            continue
        if nodes[0].op_type not in found and _computes(case):
            found.add(nodes[0].op_type)
    return sorted(found)


def _computes(case: Any) -> bool:
    inputs, outputs = case.data_sets[0]
    if not all(
        isinstance(v, np.ndarray | np.generic | onnx.TensorProto) for v in (*inputs, *outputs)
    ):
        return False
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    ports = list(model.graph.input)
    arrays = {port.name: _array(v) for port, v in zip(ports, inputs, strict=True)}
    for port in ports[1:]:
        model.graph.initializer.append(numpy_helper.from_array(arrays[port.name], port.name))
        model.graph.input.remove(port)
    if not ports or not _is_of_numbers(arrays):
        return False
    try:
        function = export(model).functions[0]
        if not any(op.name == CPU_CALL for op in function.operations):
            return False  # known while importing
        results = function.feed({ports[0].name: arrays[ports[0].name]})
    except HbirError:
        return False
    wanted = evaluator(case.model).run(None, arrays)
    return all(
        np.allclose(got, want, rtol=1e-4, atol=1e-5, equal_nan=True)
        for got, want in zip(results.values(), wanted, strict=True)
    )


def _is_of_numbers(arrays: dict[str, Any]) -> bool:
    return all(array.dtype.kind in "fiub" for array in arrays.values())


def _array(value: Any) -> Any:
    return np.asarray(
        numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value
    )

"""CPU ops: ONNX operators as they were in the user's file, and kernels of hbir by their own export.

An operator of an older opset than the file's is converted by `onnx.version_converter`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, helper, version_converter
from onnx.defs import SchemaError
from xdsl.ir import Operation

from hbir.dialects.hbtl import CallOp
from hbir.errors import HbirError
from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.registry import export_functions, exports
from hbir.ir.types import dtype_of
from hbir.kernels.hbtl import (
    FLATTENING,
    FLATTENING_ENDS,
    NATIVE,
    ONNX,
    onnx_model,
    split_signature,
)
from hbir.kernels.table import find_kernel
from hbir.passes.permutation import identity


def opset_needed(op: Operation) -> int:
    """The first opset whose definition of a CPU op's operator is the one meant; 1 for others."""
    if not isinstance(op, CallOp) or op.library != ONNX:
        return 1
    parameters = op.params()["parameters"]
    since = _since(op.function, parameters["opset"], parameters["domain"])
    return 1 if parameters["domain"] or since is None else since


@exports("hbtl.call")
def call(node: NodeExport) -> None:
    """The function that the signature names."""
    library, function = split_signature(node.params["signature"])
    parameters = node.params["parameters"]
    if library == NATIVE:
        _native(node, function, parameters)
    elif library == ONNX:
        _onnx(node, function, parameters)
    else:
        _custom(node, function, parameters)


def _native(node: NodeExport, function: str, parameters: Mapping[str, Any]) -> None:
    functions = export_functions()
    if function not in functions:
        raise node.unsupported(f"{function} has no ONNX form")
    defaults = inspect.signature(find_kernel(function)).parameters.values()
    params = {p.name: p.default for p in defaults if p.default is not inspect.Parameter.empty}
    params |= parameters
    if "dtype" in params:
        params["dtype"] = np.dtype(params["dtype"])
    functions[function](
        NodeExport(
            node.op,
            function,
            params,
            node.graph,
            node.values,
            node.label,
            quantized=node.quantized,
        )
    )


def _custom(node: NodeExport, name: str, parameters: Mapping[str, Any]) -> None:
    """A user's op as the node that it was; only who has registered it can run the file."""
    shaped = [
        np.broadcast_to(np.zeros((), dtype_of(value)), node.shape(index))
        for index, value in enumerate(node.operands)
    ]
    model = onnx_model(name, shaped, {**parameters, "opset": 1}, len(node.op.results))
    if parameters["domain"]:
        node.graph.use_domain(parameters["domain"], 1)
    _splice(node, model)


def _onnx(node: NodeExport, operator: str, parameters: Mapping[str, Any]) -> None:
    if operator in FLATTENING and parameters["opset"] < FLATTENING_ENDS:
        _flattened(node, operator, parameters["attributes"].get("axis", 1))
        return
    shaped = [
        np.broadcast_to(np.zeros((), dtype_of(value)), node.shape(index))
        for index, value in enumerate(node.operands)
    ]
    model = onnx_model(operator, shaped, parameters, len(node.op.results))
    domain: str = parameters["domain"]
    if domain:
        node.graph.use_domain(domain, parameters["opset"])
    else:
        model = _in_opset(node, model, operator, parameters["opset"])
    _splice(node, model)


def _flattened(node: NodeExport, operator: str, axis: int) -> None:
    """Softmax and its kin as they were before opset 13: over all axes from `axis` on, as one.

    onnx's converter leaves Hardmax as it is.
    """
    shape = node.shape()
    rows = math.prod(shape[: axis % len(shape) if axis < 0 else axis])
    flat = node.emit(operator, node.reshape(node.tensor(), [rows, -1]), axis=1)
    node.finish("Reshape", flat, node.integers(shape, "shape"))


def _since(operator: str, opset: int, domain: str) -> int | None:
    try:
        return int(onnx.defs.get_schema(operator, opset, domain).since_version)
    except SchemaError:
        return None


def _in_opset(node: NodeExport, model: ModelProto, operator: str, opset: int) -> ModelProto:
    """The operator as the file's opset has it."""
    if _since(operator, opset, "") == _since(operator, node.opset, ""):
        return model
    for output, value in zip(model.graph.output, node.op.results, strict=False):
        element = helper.np_dtype_to_tensor_dtype(dtype_of(value))
        output.type.tensor_type.elem_type = element
    try:
        return version_converter.convert_version(model, node.opset)
    except Exception as error:  # onnx raises its C++ errors as bare RuntimeError or subclasses
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise HbirError(
            f"{operator} of opset {opset} can't be converted to opset {node.opset}: {reason}"
        ) from error


def _splice(node: NodeExport, model: ModelProto) -> None:
    """A model's nodes as part of the file: its inputs are the operands, its outputs the results."""
    names = {"": ""}
    for index, port in enumerate(model.graph.input):
        names[port.name] = node.tensor(index)
    for tensor in model.graph.initializer:
        names[tensor.name] = node.array(onnx.numpy_helper.to_array(tensor), tensor.name)
    for index, port in enumerate(model.graph.output):
        name = node.result_name(identity(len(node.result_shape)))
        tensor = node.graph.tensors.fresh(f"{name}:{index}" if index else name)
        names[port.name] = tensor
    for inner in model.graph.node:
        _copy(node, inner, names, last=inner is model.graph.node[-1])
    for port, value in zip(model.graph.output, node.op.results, strict=True):
        shape = cast(Any, value.type).get_shape()
        node.values.add(value, identity(len(shape)), names[port.name])


def _copy(node: NodeExport, inner: NodeProto, names: dict[str, str], *, last: bool) -> None:
    copy = NodeProto()
    copy.CopyFrom(inner)
    copy.name = node.graph.node_names.fresh(node.label if last else f"{node.label}/{inner.op_type}")
    for index, name in enumerate(inner.input):
        copy.input[index] = names[name]
    for index, name in enumerate(inner.output):
        if name not in names:
            names[name] = node.graph.tensors.fresh(f"{node.label}/{name}")
        copy.output[index] = names[name]
    node.graph.append(copy)

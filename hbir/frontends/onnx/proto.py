"""The edge to the onnx package: files and protos in, plain Python values and arrays out.

Nothing else of the frontend reads protobuf messages. Every way in which a file can be broken ends
here as an HbirError that names the file and the tensor or node.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import (
    AttributeProto,
    ModelProto,
    TensorProto,
    TypeProto,
    external_data_helper,
    inliner,
    numpy_helper,
)
from onnx import helper as onnx_helper

from hbir.errors import HbirError
from hbir.files import read_file
from hbir.ir.types import Array

MAX_TENSOR_BYTES = 2**31
"""Largest tensor, constant or computed (the published limit of an input or output)."""

MAX_RANK = 10
"""Largest rank of a tensor (published)."""

NEWEST_OPSET = onnx.defs.onnx_opset_version()
OLDEST_OPSET = 9

Dim: TypeAlias = int | str | None
"""An extent as a file gives it: a number, a parameter's name, or nothing."""


def load_model(source: ModelProto | str | os.PathLike[str] | bytes) -> tuple[ModelProto, str]:
    """The model, and what messages call it. External data is read, local functions are inlined.

    Raises HbirError for a file that is missing, truncated, no ONNX model, or lacks its data.
    """
    if isinstance(source, ModelProto):
        model, label, folder = source, source.graph.name or "<proto>", None
    elif isinstance(source, bytes):
        model, label, folder = _parse(source, "<bytes>"), "<bytes>", None
    else:
        path = Path(source)
        model, label, folder = _parse(read_file(path), str(path)), str(path), path.parent
    if not model.HasField("graph"):
        raise HbirError(f"{label}: not an ONNX model (it has no graph)")
    _check_texts(model, label)
    model = _with_external_data(model, label, folder)
    if model.functions:
        try:
            model = inliner.inline_local_functions(model)
        except Exception as error:  # onnx raises its C++ errors as bare RuntimeError or subclasses
            raise HbirError(f"{label}: its local functions can't be inlined: {error}") from error
    return model, label


def _parse(data: bytes, label: str) -> ModelProto:
    if not data:
        raise HbirError(f"{label}: the file is empty, expected an ONNX model")
    model = ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        raise HbirError(
            f"{label}: not an ONNX model, or a truncated one (protobuf can't decode its"
            f" {len(data)} bytes)"
        ) from None
    return model


def _check_texts(model: ModelProto, label: str) -> None:
    """Raises HbirError for names that aren't UTF-8, which protobuf hands out as bytes."""
    for what, text in _texts(model):
        if isinstance(text, bytes):
            raise HbirError(f"{label}: {what} is no UTF-8 text: {text!r}")


def _texts(model: ModelProto) -> Iterable[tuple[str, object]]:
    for opset in model.opset_import:
        yield "a domain", opset.domain
    for function in model.functions:
        yield from (("a function's name", function.name), ("a domain", function.domain))
        yield from _texts_of_nodes(function.node)
    yield from _texts_of_graph(model.graph)


def _texts_of_graph(graph: onnx.GraphProto) -> Iterable[tuple[str, object]]:
    yield "the graph's name", graph.name
    for named in (*graph.input, *graph.output, *graph.initializer):
        yield "a tensor's name", named.name
    yield from _texts_of_nodes(graph.node)


def _texts_of_nodes(nodes: Iterable[onnx.NodeProto]) -> Iterable[tuple[str, object]]:
    for node in nodes:
        yield from (("an operator", node.op_type), ("a domain", node.domain))
        yield "a node's name", node.name
        for name in (*node.input, *node.output):
            yield "a tensor's name", name
        for attribute in node.attribute:
            yield "an attribute's name", attribute.name
            if attribute.type == AttributeProto.GRAPH:
                yield from _texts_of_graph(attribute.g)


def _with_external_data(model: ModelProto, label: str, folder: Path | None) -> ModelProto:
    external = [t for t in _tensors(model.graph) if t.data_location == TensorProto.EXTERNAL]
    if not external:
        return model
    if folder is None:
        raise HbirError(
            f"{label}: tensor {external[0].name!r} keeps its data in another file; export from the"
            " path of the .onnx, or load the proto with its external data"
        )
    for tensor in external:
        try:
            external_data_helper.load_external_data_for_tensor(tensor, str(folder))
        except (OSError, ValueError, RuntimeError, onnx.checker.ValidationError) as error:
            raise HbirError(
                f"{label}: external data of tensor {tensor.name!r} can't be read: {error}"
            ) from error
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]
    return model


def _tensors(graph: onnx.GraphProto) -> Iterable[TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == AttributeProto.TENSOR:
                yield attribute.t
            elif attribute.type == AttributeProto.GRAPH:
                yield from _tensors(attribute.g)


def opset_of(model: ModelProto, label: str) -> dict[str, int]:
    """Domain → version ("" is ONNX's own). Raises HbirError for one we don't read."""
    opsets = {("" if o.domain == "ai.onnx" else o.domain): o.version for o in model.opset_import}
    for domain, version in opsets.items():
        if not 0 < version < 2**31:
            raise HbirError(f"{label}: version {version} of domain {domain!r} is no opset version")
    if "" not in opsets:
        # IR version 1 and 2 models have no opset list and mean 1; others use no standard operator.
        if any(node.domain in ("", "ai.onnx") for node in model.graph.node):
            raise HbirError(f"{label}: it does not say its opset version (opset_import is empty)")
        opsets[""] = NEWEST_OPSET
    version = opsets[""]
    if not OLDEST_OPSET <= version <= NEWEST_OPSET:
        raise HbirError(
            f"{label}: opset {version} is not supported, expected {OLDEST_OPSET} to"
            f" {NEWEST_OPSET}; re-export the model, or use onnx.version_converter"
        )
    return opsets


def dtype_of_elem_type(elem_type: int) -> np.dtype[Any] | None:
    """The NumPy dtype of an ONNX element type; None when there is none (or it isn't one)."""
    try:
        return np.dtype(onnx_helper.tensor_dtype_to_np_dtype(elem_type))
    except (KeyError, ValueError, TypeError):
        return None


def elem_type_of(dtype: np.dtype[Any]) -> int:
    """The ONNX element type of a NumPy dtype."""
    return int(onnx_helper.np_dtype_to_tensor_dtype(dtype))


def dims_of(type_: TypeProto) -> list[Dim] | None:
    """The extents of a tensor type; None when it has no shape at all."""
    if not type_.tensor_type.HasField("shape"):
        return None
    dims: list[Dim] = []
    for dim in type_.tensor_type.shape.dim:
        if dim.HasField("dim_value"):
            dims.append(int(dim.dim_value))
        else:
            dims.append(dim.dim_param or None)
    return dims


def tensor_array(tensor: TensorProto, where: str) -> Array:
    """The read-only array of a tensor. `where` opens messages.

    Raises HbirError when its type, shape and data don't fit each other.
    """
    name = tensor.name or "without a name"
    dtype = dtype_of_elem_type(tensor.data_type)
    if dtype is None or dtype == np.dtype(object):
        raise HbirError(f"{where}: tensor {name!r} has unknown element type {tensor.data_type}")
    shape = [int(d) for d in tensor.dims]
    check_size(shape, dtype, f"{where}: tensor {name!r}")
    try:
        array = np.asarray(numpy_helper.to_array(tensor))
    except Exception as error:  # to_array raises whatever NumPy does for data that don't fit
        raise HbirError(
            f"{where}: tensor {name!r} of shape {shape} and type {dtype} has data that don't fit:"
            f" {error}"
        ) from error
    if array.flags.writeable:
        array.flags.writeable = False
    return array


def check_size(shape: Iterable[int], dtype: np.dtype[Any], what: str) -> None:
    """Raises HbirError for a shape with negative extents, too many of them, or too many bytes."""
    extents = list(shape)
    if any(extent < 0 for extent in extents):
        raise HbirError(f"{what} has a negative extent in its shape {extents}")
    if len(extents) > MAX_RANK:
        raise HbirError(f"{what} has rank {len(extents)}, at most {MAX_RANK} is supported")
    size = dtype.itemsize
    for extent in extents:
        size *= extent
    if size > MAX_TENSOR_BYTES:
        raise HbirError(
            f"{what} of shape {extents} and type {dtype} would take {size} bytes, at most"
            f" {MAX_TENSOR_BYTES} are supported"
        )


def attribute_value(attribute: AttributeProto, where: str) -> Any:
    """An attribute as a Python value: int, float, str, lists of these, array, or GraphProto.

    Raises HbirError for kinds that no operator we read has.
    """
    match attribute.type:
        case AttributeProto.FLOAT:
            return float(attribute.f)
        case AttributeProto.INT:
            return int(attribute.i)
        case AttributeProto.STRING:
            return _text(attribute.s)
        case AttributeProto.FLOATS:
            return [float(value) for value in attribute.floats]
        case AttributeProto.INTS:
            return [int(value) for value in attribute.ints]
        case AttributeProto.STRINGS:
            return [_text(value) for value in attribute.strings]
        case AttributeProto.TENSOR:
            return tensor_array(attribute.t, f"{where}: attribute {attribute.name!r}")
        case AttributeProto.GRAPH:
            return attribute.g
        case _:
            return attribute


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def tensor_type(shape: Iterable[int], dtype: np.dtype[Any]) -> TypeProto:
    """The ONNX tensor type of a shape and dtype."""
    return cast(Any, onnx_helper).make_tensor_type_proto(elem_type_of(dtype), list(shape))

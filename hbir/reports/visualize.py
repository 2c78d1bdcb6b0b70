"""`visualize`: a module of any level as an ONNX picture, which Netron shows; not one to run.

Netron can't read bytecode of dialects it doesn't know, and shows no node names of MLIR text. An
ONNX file shows everything: an op is a node of its dialect's domain, named after the source nodes
fused into it, and a value is a tensor under its source name, with type, shape and scale.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from xdsl.dialects.builtin import ArrayAttr, DictionaryAttr, TensorType
from xdsl.ir import Attribute, Operation, SSAValue

from hbir.errors import HbirError
from hbir.exporters.onnx.graph import Names
from hbir.files import write_file
from hbir.ir.function import body_of, return_of
from hbir.ir.op import to_python
from hbir.ir.origin import ATTRIBUTE, nodes_of, origin_of, origin_of_op
from hbir.ir.types import dtype_of, element_of, open_axes, shape_of
from hbir.module import Function, Module

if TYPE_CHECKING:
    from hbir.ir.weights import WeightStore

INLINE_ELEMENTS = 16
"""Constants up to this many elements are written with their values, as in text."""

DEFAULT_PORT = 8080
"""Netron's own default."""

_OPSETS = {"": 19, "hbir": 1, "qnt": 1, "bpu": 1, "hbtl": 1}


def visualize(
    module: Module,
    onnx_file: str | os.PathLike[str] | None = None,
    use_netron: bool = False,
    host: str | None = None,
    port: int | None = None,
    save_as_external_data: bool = False,
    external_data_file: str | None = None,
) -> str:
    """Write an ONNX picture of `module` and return its path.

    onnx_file: by default `<function>.onnx` in a new temporary folder. Constants above 16 elements
    are elided (type and shape only), unless `save_as_external_data` writes their bytes beside, to
    `external_data_file` (a name in the same folder; `<onnx_file>.data` by default). use_netron:
    serve the file on host:port until interrupted; it needs the package `netron`. Raises HbirError
    for what can't be written or served.
    """
    if not isinstance(module, Module):  # pyright: ignore[reportUnnecessaryIsInstance]  # a user's call
        raise HbirError(
            f"visualize: expected a Module, got {type(module).__name__}; load a .bc with"
            " hbir.load; hbir-disas shows a .hbm"
        )
    file = _file_of(module, onnx_file)
    data_name = (external_data_file or f"{file.name}.data") if save_as_external_data else None
    if external_data_file is not None and Path(external_data_file).name != external_data_file:
        raise HbirError(
            f"external_data_file {external_data_file!r}: must be a plain file name; it is written"
            f" beside {file}"
        )
    picture = _Picture(module, data_name)
    proto = picture.model()
    if data_name is not None:
        write_file(file.parent / data_name, bytes(picture.external))
    write_file(file, proto.SerializeToString(deterministic=True))
    if use_netron:
        serve_in_netron(file, host, port)
    return str(file)


def _file_of(module: Module, onnx_file: str | os.PathLike[str] | None) -> Path:
    if onnx_file is None:
        functions = module.functions
        name = functions[0].name if functions else "module"
        return Path(tempfile.mkdtemp(prefix="hbir-")) / f"{name}.onnx"
    file = Path(onnx_file)
    if file.suffix != ".onnx":
        raise HbirError(f"{file}: a picture is an ONNX file; give a name that ends with .onnx")
    return file


def serve_in_netron(file: Path, host: str | None = None, port: int | None = None) -> None:
    """Serve a file on host:port until interrupted. Raises HbirError without the package netron."""
    try:
        import netron  # pyright: ignore[reportMissingImports, reportMissingTypeStubs]  # optional
    except ImportError:
        raise HbirError(
            f"use_netron: the package netron is not installed; pip install 'hbir[netron]', or open"
            f" {file} in any Netron"
        ) from None
    server = cast(Any, netron)
    address = (host or "localhost", port or DEFAULT_PORT)
    sys.stdout.write(f"Netron serves {file} at http://{address[0]}:{address[1]}\n")
    try:
        server.start(str(file), address=address, browse=False)
        server.wait()
    except OSError as error:
        raise HbirError(f"Netron can't listen on {address[0]}:{address[1]}: {error}") from None


class _Picture:
    """One ONNX graph of all functions of a module; those of several don't touch each other."""

    def __init__(self, module: Module, external_name: str | None) -> None:
        self.module = module
        self.external_name = external_name
        self.external = bytearray()
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self.values: list[onnx.ValueInfoProto] = []
        self._tensor_names = Names()
        self._node_names = Names()

    def model(self) -> onnx.ModelProto:
        functions = self.module.functions
        if not functions:
            raise HbirError("the module has no function to show")
        for function in functions:
            self._function(function, f"{function.name}/" if len(functions) > 1 else "")
        graph = helper.make_graph(
            self.nodes,
            ", ".join(function.name for function in functions),
            self.inputs,
            self.outputs,
            self.initializers,
            doc_string=f"A picture of hbir's {self.module.level} level; it can't be run.",
            value_info=self.values,
        )
        model = helper.make_model(
            graph,
            producer_name="hbir",
            opset_imports=[helper.make_opsetid(domain, v) for domain, v in _OPSETS.items()],
            ir_version=9,
        )
        for key, attribute in sorted(self.module.op.attributes.items()):
            entry = model.metadata_props.add()
            entry.key, entry.value = key, _text(attribute)
        return model

    def _function(self, function: Function, prefix: str) -> None:
        names: dict[SSAValue, str] = {}
        # Outputs first: what a user calls an output is the name that its tensor keeps.
        op = function.op
        outputs = list(zip(function.flatten_outputs, return_of(op).operands, strict=True))
        for argument, value in zip(function.flatten_inputs, body_of(op).args, strict=True):
            names[value] = self._tensor_names.fresh(prefix + argument.name)
            self.inputs.append(_value_info(names[value], value, argument.desc))
        renamed: list[tuple[SSAValue, str]] = []
        for argument, value in outputs:
            name = self._tensor_names.fresh(prefix + argument.name)
            if value in names:
                renamed.append((value, name))
            else:
                names[value] = name
            self.outputs.append(_value_info(name, value, argument.desc))
        shown = {value for _, value in outputs}
        for inner in body_of(op).ops:
            if inner.results:
                self._op(inner, prefix, names, shown)
        for value, name in renamed:  # a value that is an input, or an output twice
            node = helper.make_node("Identity", [names[value]], [name])
            node.name = self._node_names.fresh(name)
            self.nodes.append(node)

    def _op(
        self, op: Operation, prefix: str, names: dict[SSAValue, str], outputs: set[SSAValue]
    ) -> None:
        for result in op.results:
            if result not in names:
                origin = origin_of(result)
                name = origin.tensor if origin is not None else (result.name_hint or op.name)
                names[result] = self._tensor_names.fresh(prefix + name)
        if op.name == "hbir.constant" and op.results[0] not in outputs:
            self._constant(op, names[op.results[0]])
            return
        self.nodes.append(self._node(op, prefix, names))
        self.values += [
            _value_info(names[result], result) for result in op.results if result not in outputs
        ]

    def _node(self, op: Operation, prefix: str, names: dict[SSAValue, str]) -> onnx.NodeProto:
        dialect, _, kind = op.name.partition(".")
        sources = nodes_of(op)
        result = names[op.results[0]] if op.results else op.name
        node = helper.make_node(
            kind,
            [names[operand] for operand in op.operands],
            [names[value] for value in op.results],
            domain=dialect,
        )
        fused = "+".join(dict.fromkeys(source.name for source in sources))
        node.name = self._node_names.fresh(f"{prefix}{fused}" if fused else result)
        node.attribute.extend(_attributes(op))
        return node

    def _constant(self, op: Operation, name: str) -> None:
        value = op.properties["values"]
        store: WeightStore = self.module.weights
        result = op.results[0]
        proto = TensorProto(name=name, dims=shape_of(result), data_type=_onnx_type(result))
        count = int(np.prod(shape_of(result), dtype=np.int64))
        if self.external_name is not None:
            array = np.ascontiguousarray(store.array(value))
            self._external(proto, array)
        elif count <= INLINE_ELEMENTS:
            proto = numpy_helper.from_array(np.ascontiguousarray(store.array(value)), name)
        else:
            proto.doc_string = "elided"
        self.initializers.append(proto)

    def _external(self, proto: TensorProto, array: np.ndarray[Any, Any]) -> None:
        data = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
        proto.data_location = TensorProto.EXTERNAL
        fields = {
            "location": self.external_name,
            "offset": len(self.external),
            "length": len(data),
        }
        for key, value in fields.items():
            entry = proto.external_data.add()
            entry.key, entry.value = key, str(value)
        self.external += data


def _attributes(op: Operation) -> Iterator[onnx.AttributeProto]:
    for key, attribute in sorted({**op.attributes, **op.properties}.items()):
        if key in (ATTRIBUTE, "operandSegmentSizes", "values"):
            continue
        if isinstance(attribute, DictionaryAttr):
            for inner, value in sorted(attribute.data.items()):
                yield _attribute(f"{key}.{inner}", value)
        else:
            yield _attribute(key, attribute)
    origin = origin_of_op(op)
    if origin is None:
        return
    if origin.perm:
        yield helper.make_attribute("origin.perm", list(origin.perm))
    if origin.scale is not None:
        scale = origin.scale
        value = _text(scale) if isinstance(scale, Attribute) else float(scale)
        yield helper.make_attribute("origin.scale", value)
        yield helper.make_attribute("origin.zero_point", origin.zero_point)
    if origin.nodes:
        sources = [f"{node.name} ({node.type})" for node in origin.nodes]
        yield helper.make_attribute("origin.nodes", sources)


def _attribute(key: str, attribute: Attribute) -> onnx.AttributeProto:
    value = to_python(attribute)
    if isinstance(value, bool):
        value = int(value)
    if isinstance(value, tuple):
        value = _plain_list(cast(tuple[Any, ...], value))
    if value is None or isinstance(value, Attribute):
        value = _text(attribute)
    return helper.make_attribute(key, value)


def _plain_list(values: tuple[Any, ...]) -> Any:
    """A list that ONNX has a type for, or its text."""
    for kind in (int, float, str):
        if values and all(isinstance(value, kind) for value in values):
            return [int(value) if kind is int else value for value in values]
    return str(list(values))


def _text(attribute: Attribute) -> str:
    data = getattr(attribute, "data", None)
    if isinstance(data, str):
        return data
    if isinstance(attribute, ArrayAttr):
        items = cast(ArrayAttr[Attribute], attribute).data
        return "[" + ", ".join(_text(item) for item in items) + "]"
    return str(attribute)


def _onnx_type(value: SSAValue) -> int:
    return helper.np_dtype_to_tensor_dtype(dtype_of(value))


def _value_info(name: str, value: SSAValue, desc: str = "") -> onnx.ValueInfoProto:
    origin = origin_of(value)
    notes = [desc] if desc else []
    notes.append(str(element_of(value)) if isinstance(value.type, TensorType) else str(value.type))
    if origin is not None and origin.scale is not None:
        notes.append(f"scale {_text_of_scale(origin.scale)}, zero point {origin.zero_point}")
    axes = open_axes(value)
    shape = [None if axis in axes else extent for axis, extent in enumerate(shape_of(value))]
    return helper.make_tensor_value_info(
        name, _onnx_type(value), shape, doc_string="; ".join(notes)
    )


def _text_of_scale(scale: float | Attribute) -> str:
    return _text(scale) if isinstance(scale, Attribute) else repr(float(scale))

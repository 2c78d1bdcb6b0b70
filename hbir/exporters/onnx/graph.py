"""`OnnxGraph`: the ONNX file being made: unique names, initializers, nodes, functions.

It knows no IR. Tensors are named when they are made; an output's name is settled at the end, when
it is known which node's result it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import FunctionProto, ModelProto, NodeProto, ValueInfoProto, helper

import hbir
from hbir.errors import HbirError
from hbir.exporters.onnx.file import OnnxFile
from hbir.ir.types import Array

IR_VERSION, IR_VERSION_UNTIL = 9, 20
"""The version of the format that came with opset 19 and 20."""

NEWER_IR_VERSION = 10
"""That of opset 21. Nothing newer is used, and tools refuse what is newer than they are."""

SOURCE, PERM = "hbir.source", "hbir.perm"
"""Metadata of a tensor: the source tensor's name where it is another, and the order of its axes."""

_helper: Any = helper  # ships types for part of its functions only


@dataclass(frozen=True)
class TensorInfo:
    """What a file says of a tensor: shape, dtype, and the source tensor that it is.

    Axis i is axis perm[i] of the source tensor; () where the order is the same.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    source: str = ""
    perm: tuple[int, ...] = ()

    def proto(self, name: str) -> ValueInfoProto:
        """As it stands in the file, for the tensor of that name."""
        info = _value_info(name, self.shape, self.dtype)
        said = {SOURCE: self.source if self.source != name else ""}
        said[PERM] = ",".join(map(str, self.perm))
        for key, value in said.items():
            if value:
                info.metadata_props.add(key=key, value=value)
        return info


class Names:
    """Unique names: the second `x` is `x_1`."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._taken

    def reserve(self, name: str) -> None:
        """Keep a name for what will ask for it by `take`."""
        self._taken.add(name)

    def fresh(self, name: str) -> str:
        """`name`, or where it is taken `name_1`, `name_2`, ..."""
        candidate, index = name, self._next.get(name, 0)
        while candidate in self._taken:
            index += 1
            candidate = f"{name}_{index}"
        self._next[name] = index
        self._taken.add(candidate)
        return candidate


class OnnxGraph:
    """The nodes and tensors of one ONNX graph."""

    def __init__(self, name: str, opset: int) -> None:
        self.name = name
        self.opset = opset
        self.domains: dict[str, int] = {"": opset}
        self.functions: dict[str, FunctionProto] = {}
        self.tensors = Names()
        self.node_names = Names()
        self.nodes: list[NodeProto] = []
        self._initializers: dict[str, Array] = {}
        self._inputs: list[ValueInfoProto] = []
        self._outputs: list[ValueInfoProto] = []
        self._infos: dict[str, TensorInfo] = {}
        self._renamed: dict[str, str] = {}
        self._made_by_node: set[str] = set()

    # Making it

    def input(self, name: str, shape: Sequence[int | None], dtype: np.dtype[Any]) -> None:
        """An input, under its own name; None for an open extent."""
        self.tensors.reserve(name)
        self._inputs.append(_value_info(name, shape, dtype))

    def reserve_output(self, name: str) -> None:
        """Keep an output's name from being given to another tensor."""
        self.tensors.reserve(name)

    def output(self, name: str, tensor: str, shape: Sequence[int], dtype: np.dtype[Any]) -> None:
        """The output `name` is `tensor`: its node's result is renamed, or an Identity added."""
        if tensor != name:
            if tensor in self._made_by_node and tensor not in self._renamed:
                self._renamed[tensor] = name
            else:
                self._copy(tensor, name)
        self._outputs.append(_value_info(name, shape, dtype))

    def final_name(self, tensor: str) -> str:
        """What a tensor is called in the model, where an output may have renamed it."""
        return self._renamed.get(tensor, tensor)

    def _copy(self, tensor: str, name: str) -> None:
        node = helper.make_node(
            "Identity", [tensor], [name], name=self.node_names.fresh(f"{name}/Identity")
        )
        self.nodes.append(node)

    def initializer(self, array: Array, name: str) -> str:
        """A constant; returns the name it got."""
        unique = self.tensors.fresh(name)
        self._initializers[unique] = array
        return unique

    def describe(self, tensor: str, info: TensorInfo) -> None:
        """Say a tensor's shape and dtype, for Netron, and where it comes from."""
        self._infos[tensor] = info

    def node(
        self,
        op_type: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        name: str,
        attributes: Mapping[str, Any],
        domain: str = "",
    ) -> None:
        """Append a node. Attributes of None are left out."""
        given = {key: value for key, value in attributes.items() if value is not None}
        trimmed = list(inputs)
        while trimmed and not trimmed[-1]:
            trimmed.pop()
        node = _helper.make_node(op_type, trimmed, list(outputs), name=name, domain=domain, **given)
        self._made_by_node.update(outputs)
        self.nodes.append(node)

    def append(self, node: NodeProto) -> None:
        """Append a node made elsewhere."""
        self._made_by_node.update(node.output)
        self.nodes.append(node)

    def rename_nodes(self, wanted: Mapping[str, str]) -> None:
        """Give nodes other names, by name; the first of `wanted` gets one, unless it is taken."""
        by_name = {node.name: node for node in self.nodes}
        for name, new in wanted.items():
            if name in by_name and new not in self.node_names:
                self.node_names.reserve(new)
                by_name[name].name = new

    def use_domain(self, domain: str, version: int) -> None:
        """Import an operator set. Raises HbirError when another version of it is imported."""
        if self.domains.setdefault(domain, version) != version:
            raise HbirError(
                f"two versions of the operator set {domain!r} can't stand in one ONNX file:"
                f" {self.domains[domain]} and {version}"
            )

    # Finishing it

    def file(self) -> OnnxFile:
        """The model, its weights beside it."""
        self._rename()
        ports = {info.name for info in (*self._inputs, *self._outputs)}
        infos = [info.proto(self._renamed.get(name, name)) for name, info in self._infos.items()]
        graph = helper.make_graph(
            self.nodes,
            self.name,
            self._inputs,
            self._outputs,
            [],
            value_info=[info for info in infos if info.name not in ports],
        )
        opsets = [_helper.make_opsetid(domain, v) for domain, v in self.domains.items()]
        model: ModelProto = _helper.make_model(
            graph,
            functions=list(self.functions.values()),
            opset_imports=opsets,
            ir_version=IR_VERSION if self.opset <= IR_VERSION_UNTIL else NEWER_IR_VERSION,
            producer_name="hbir",
            producer_version=hbir.__version__,
        )
        return OnnxFile(model, self._initializers)

    def _rename(self) -> None:
        if not self._renamed:
            return
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [self._renamed.get(name, name) for name in names]


def _value_info(name: str, shape: Sequence[int | None], dtype: np.dtype[Any]) -> ValueInfoProto:
    element = helper.np_dtype_to_tensor_dtype(dtype)
    return helper.make_tensor_value_info(name, element, list(shape))


__all__ = ["Names", "OnnxGraph", "onnx"]

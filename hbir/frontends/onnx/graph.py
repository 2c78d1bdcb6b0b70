"""The normalised view of an ONNX graph: topologically sorted nodes over named values.

What files vary in is settled here: initializers that are also listed as inputs are constants,
nodes without a name get one (`Conv_3`), "ai.onnx" is "", absent optional inputs are "".
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, NodeProto

from hbir.errors import HbirError
from hbir.frontends.onnx.proto import (
    Dim,
    attribute_value,
    dims_of,
    dtype_of_elem_type,
    load_model,
    opset_of,
    tensor_array,
)
from hbir.ir.types import Array


@dataclass(frozen=True)
class Port:
    """A graph input or output as the file declares it; dims is None when no shape is given."""

    name: str
    dims: tuple[Dim, ...] | None
    dtype: np.dtype[Any] | None


@dataclass(frozen=True)
class Node:
    """One node. `outputs` may hold "" for results left out."""

    name: str
    type: str
    domain: str
    version: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    proto: NodeProto

    def __str__(self) -> str:
        return f"{self.type} node {self.name!r}"


@dataclass
class Graph:
    """A model's graph. `label` is what messages call the file."""

    label: str
    name: str
    opsets: dict[str, int]
    inputs: list[Port]
    outputs: list[Port]
    constants: dict[str, Array]
    nodes: list[Node] = field(default_factory=list[Node])


def read_graph(source: ModelProto | str | os.PathLike[str] | bytes) -> Graph:
    """The graph of a model or of an .onnx file, checked and sorted.

    Raises HbirError for anything that isn't a well-formed graph of one of the supported opsets.
    """
    model, label = load_model(source)
    opsets = opset_of(model, label)
    proto = model.graph
    constants = _constants(proto, label)
    inputs = [_port(i, label, "input") for i in proto.input if i.name not in constants]
    outputs = [_port(o, label, "output") for o in proto.output]
    _check_ports(inputs, outputs, label)
    known = {port.name for port in inputs} | set(constants)
    nodes = sort_nodes(read_nodes(proto.node, opsets, label), known, label)
    defined = known | {name for node in nodes for name in node.outputs}
    for port in outputs:
        if port.name not in defined:
            raise HbirError(f"{label}: output {port.name!r} is computed by no node")
    return Graph(label, proto.name, opsets, inputs, outputs, constants, nodes)


def _constants(proto: onnx.GraphProto, label: str) -> dict[str, Array]:
    constants: dict[str, Array] = {}
    for tensor in proto.initializer:
        if tensor.name in constants:
            raise HbirError(f"{label}: two initializers are named {tensor.name!r}")
        constants[tensor.name] = tensor_array(tensor, label)
    for sparse in proto.sparse_initializer:
        raise HbirError(
            f"{label}: initializer {sparse.values.name!r} is sparse, which is not supported"
        )
    return constants


def _port(info: onnx.ValueInfoProto, label: str, kind: str) -> Port:
    if not info.name:
        raise HbirError(f"{label}: an {kind} has no name")
    which = info.type.WhichOneof("value")
    if which not in (None, "tensor_type"):
        raise HbirError(f"{label}: {kind} {info.name!r} is a {which}, expected a tensor")
    dims = dims_of(info.type)
    dtype = dtype_of_elem_type(info.type.tensor_type.elem_type)
    return Port(info.name, None if dims is None else tuple(dims), dtype)


def _check_ports(inputs: Sequence[Port], outputs: Sequence[Port], label: str) -> None:
    for kind, ports in (("inputs", inputs), ("outputs", outputs)):
        names = [port.name for port in ports]
        twice = sorted({name for name in names if names.count(name) > 1}) if names else []
        if twice:
            raise HbirError(f"{label}: two {kind} are named {twice[0]!r}")
        if len(ports) > 512:
            raise HbirError(f"{label}: {len(ports)} {kind}, at most 512 are supported")
    if not outputs:
        raise HbirError(f"{label}: the graph has no outputs")


def read_nodes(protos: Sequence[NodeProto], opsets: Mapping[str, int], label: str) -> list[Node]:
    """The nodes in the file's order, with names made for those without."""
    taken = {proto.name for proto in protos}
    nodes: list[Node] = []
    for index, proto in enumerate(protos):
        if not proto.op_type.isidentifier():
            raise HbirError(
                f"{label}: node {proto.name or index!r} has no operator type, or none that is a"
                f" name: {proto.op_type!r}"
            )
        domain = "" if proto.domain == "ai.onnx" else proto.domain
        name = proto.name or _fresh(f"{proto.op_type}_{index}", taken)
        where = f"{label}: {proto.op_type} node {name!r}"
        nodes.append(
            Node(
                name,
                proto.op_type,
                domain,
                opsets.get(domain, 0),
                tuple(proto.input),
                tuple(proto.output),
                _attributes(proto, where),
                proto,
            )
        )
    return nodes


def _attributes(proto: NodeProto, where: str) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for attribute in proto.attribute:
        if attribute.name in attributes:
            raise HbirError(f"{where}: attribute {attribute.name!r} is given twice")
        attributes[attribute.name] = attribute_value(attribute, where)
    return attributes


def _fresh(name: str, taken: set[str]) -> str:
    candidate, suffix = name, 0
    while candidate in taken:
        suffix += 1
        candidate = f"{name}_{suffix}"
    taken.add(candidate)
    return candidate


def sort_nodes(nodes: Sequence[Node], known: set[str], label: str) -> list[Node]:
    """The nodes so that each comes after those it reads; the file's order where it is free.

    `known` are the values there from the start. Raises HbirError for values made twice, never, or
    in a cycle.
    """
    producer = _producers(nodes, known, label)
    waiting = [0] * len(nodes)
    readers: dict[int, list[int]] = {}
    for index, node in enumerate(nodes):
        for name in {name for name in reads_of(node) if name}:
            if name in known:
                continue
            if name not in producer:
                raise HbirError(
                    f"{label}: {node} reads {name!r}, which is no input, initializer or result"
                )
            waiting[index] += 1
            readers.setdefault(producer[name], []).append(index)
    ready = [index for index, count in enumerate(waiting) if count == 0]
    ordered: list[Node] = []
    while ready:
        index = heapq.heappop(ready)
        ordered.append(nodes[index])
        for reader in readers.get(index, ()):
            waiting[reader] -= 1
            if waiting[reader] == 0:
                heapq.heappush(ready, reader)
    if len(ordered) < len(nodes):
        stuck = next(node for node, count in zip(nodes, waiting, strict=True) if count)
        raise HbirError(f"{label}: {stuck} is part of, or waits for, a cycle of nodes")
    return ordered


def _producers(nodes: Sequence[Node], known: set[str], label: str) -> dict[str, int]:
    producer: dict[str, int] = {}
    for index, node in enumerate(nodes):
        for name in node.outputs:
            if not name:
                continue
            if name in producer or name in known:
                raise HbirError(f"{label}: {name!r}, a result of {node}, is defined twice")
            producer[name] = index
    return producer


def reads_of(node: Node) -> list[str]:
    """The values a node reads, those that its subgraphs take from outside among them."""
    names = list(node.inputs)
    for value in node.attributes.values():
        if isinstance(value, onnx.GraphProto):
            names += _outer_reads(value)
    return names


def _outer_reads(graph: onnx.GraphProto) -> list[str]:
    inner = {i.name for i in graph.input} | {t.name for t in graph.initializer}
    inner |= {name for node in graph.node for name in node.output}
    names: list[str] = []
    for node in graph.node:
        names += [name for name in node.input if name not in inner]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                names += [name for name in _outer_reads(attribute.g) if name not in inner]
    names += [output.name for output in graph.output if output.name not in inner]
    return names


def live_nodes(nodes: Sequence[Node], outputs: Sequence[str]) -> list[Node]:
    """The sorted nodes that `outputs` depend on. A result that nothing reads is named ""."""
    needed = set(outputs)
    live: list[Node] = []
    for node in reversed(nodes):
        if needed.intersection(node.outputs):
            read = tuple(name if name in needed else "" for name in node.outputs)
            live.append(replace(node, outputs=read))
            needed.update(reads_of(node))
    live.reverse()
    return live

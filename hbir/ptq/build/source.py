"""The user's ONNX model as the pipeline compiles it: named nodes, closed shapes, cut where asked.

Only the graph's edges change here. Nodes keep their names; those without one get the name that the
importer would give them (`Conv_3`), so that every stage and report calls a node the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
    shape_inference,
)

from hbir.errors import did_you_mean
from hbir.frontends.onnx.graph import read_graph, read_nodes
from hbir.frontends.onnx.proto import dims_of, load_model, opset_of
from hbir.ptq.config import Config
from hbir.ptq.inputs import InputSpec
from hbir.ptq.yaml_file import ConfigError

LOG = logging.getLogger("hbir.ptq")


def load_source(config: Config) -> ModelProto:
    """The model of a configuration: its `input_shape`, `input_batch` and `output_nodes` applied.

    Raises HbirError for a broken model, ConfigError for what it can't be given.
    """
    path = config.model.model
    LOG.info("Using the onnx model file: %s", path)
    proto, label = load_model(str(path))
    if not proto.graph.name:
        proto.graph.name = Path(path).stem
    read_graph(proto)  # a graph that isn't well-formed is refused before anything is changed
    nodes = read_nodes(proto.graph.node, opset_of(proto, label), label)
    for node, named in zip(proto.graph.node, nodes, strict=True):
        node.name = named.name
    for spec in config.inputs:
        _set_shape(proto.graph, spec, config.input_batch)
    if config.input_batch is not None:
        _forget_shapes(proto.graph)
    if config.model.output_nodes:
        cut_at(proto, config.model.output_nodes)
    return proto


def inputs_of(proto: ModelProto, specs: Sequence[InputSpec]) -> tuple[InputSpec, ...]:
    """The specs of the inputs that the model has after the cut."""
    left = {value.name for value in proto.graph.input}
    return tuple(spec for spec in specs if spec.name in left)


def _set_shape(graph: GraphProto, spec: InputSpec, batch: int | None) -> None:
    shape = spec.shape if batch is None else (batch, *spec.shape[1:])
    (value,) = (value for value in graph.input if value.name == spec.name)
    del value.type.tensor_type.shape.dim[:]
    for extent in shape:
        value.type.tensor_type.shape.dim.add().dim_value = extent


def _forget_shapes(graph: GraphProto) -> None:
    """Shapes that the file gives to inner tensors and results are those of another batch."""
    del graph.value_info[:]
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")


def cut_at(proto: ModelProto, wanted: Sequence[str]) -> None:
    """Make the results of the wanted nodes (or the tensors of these names) the only outputs of a
    model, in place. Raises ConfigError for names that it doesn't have."""
    graph = proto.graph
    by_node = {node.name: [name for name in node.output if name] for node in graph.node}
    tensors = {name for names in by_node.values() for name in names}
    outputs: list[str] = []
    for name in wanted:
        if name not in by_node and name not in tensors:
            hint = did_you_mean(name, [*by_node, *tensors])
            raise ConfigError(f"output_nodes: the model has no node '{name}'{hint}")
        outputs += [tensor for tensor in by_node.get(name, [name]) if tensor not in outputs]
    known = _value_infos(proto)
    needed = _needed_nodes(graph, outputs)
    read = {name for index in needed for name in _reads(graph.node[index])}
    _drop(graph.node, lambda index: index not in needed)
    for values in (graph.input, graph.initializer):
        _drop(values, lambda index, values=values: values[index].name not in read)
    del graph.output[:]
    graph.output.extend(known.get(name) or _unknown_output(name) for name in outputs)


def _needed_nodes(graph: GraphProto, outputs: Sequence[str]) -> set[int]:
    """Positions of the nodes that the outputs depend on."""
    producer = {name: index for index, node in enumerate(graph.node) for name in node.output}
    needed: set[int] = set()
    waiting = list(outputs)
    while waiting:
        index = producer.get(waiting.pop())
        if index is not None and index not in needed:
            needed.add(index)
            waiting += _reads(graph.node[index])
    return needed


def _reads(node: NodeProto) -> list[str]:
    """What a node reads, its subgraphs included."""
    inner = [
        name for attribute in node.attribute for child in attribute.g.node for name in _reads(child)
    ]
    return [*node.input, *inner]


def _drop(values: Any, unwanted: Callable[[int], bool]) -> None:
    """Delete the messages at these positions, in place: weights aren't copied."""
    for index in reversed(range(len(values))):
        if unwanted(index):
            del values[index]


def _value_infos(proto: ModelProto) -> dict[str, ValueInfoProto]:
    """Types of inner tensors, as far as the file or ONNX's inference knows them."""
    try:
        proto = shape_inference.infer_shapes(proto)
    except Exception:  # it raises whatever its C++ does; the importer finds what is wrong
        LOG.debug("ONNX's shape inference failed on the model")
    graph = proto.graph
    return {value.name: value for value in (*graph.value_info, *graph.output)}


def _unknown_output(name: str) -> ValueInfoProto:
    return helper.make_empty_tensor_value_info(name)


def log_model(proto: ModelProto) -> None:
    """The block `Input ONNX Model Information` of the log."""
    LOG.info("Input ONNX Model Information:")
    LOG.info("IR Version: %d", proto.ir_version)
    opsets = [f"{entry.domain or 'ai.onnx'} v{entry.version}" for entry in proto.opset_import]
    LOG.info("Opset Version: %s", opsets)
    producer = f"{proto.producer_name} {proto.producer_version}".strip()
    LOG.info("Model Producer: %s", producer or "unknown")
    for title, values in (("Input", proto.graph.input), ("Output", proto.graph.output)):
        LOG.info("Graph %s:", title)
        for value in values:
            shape = dims_of(value.type)
            kind = TensorProto.DataType.Name(value.type.tensor_type.elem_type)
            if kind == "FLOAT":
                kind = "FLOAT32"
            LOG.info("    %s : shape=%s, dtype=%s", value.name, shape, kind)

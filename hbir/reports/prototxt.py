"""A compiled graph as a Caffe prototxt, which Netron shows: a picture, not one to run.

Layers are those of the performance report; which of them reads what follows from the bytes that
their instructions read and write.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from hbir.backend.isa.program import Graph, Program, Tensor
from hbir.reports.performance import layer_name
from hbir.runtime.hazards import layer_flow


def prototxt(program: Program, graph: Graph) -> str:
    """The text of one graph. Raises HbirError for a program with hazards."""
    flow = layer_flow(program, graph)
    names = [layer_name(layer.name, i) for i, layer in enumerate(graph.layers)]
    bottoms: list[list[str]] = [[] for _ in names]
    for port, reader in sorted(flow.inputs):
        bottoms[reader].append(graph.inputs[port].name)
    for writer, reader in sorted(flow.layers):
        bottoms[reader].append(names[writer])
    lines = [f"name: {_text(graph.name)}"]
    for tensor in graph.inputs:
        lines += _input(tensor)
    for name, layer, read in zip(names, graph.layers, bottoms, strict=True):
        lines += _layer(name, layer.kind or "copy", read, name)
    for port, tensor in enumerate(graph.outputs):
        read = [names[writer] for writer, output in sorted(flow.outputs) if output == port]
        lines += _layer(f"{tensor.name} (output)", "Output", read, tensor.name)
    return "\n".join(lines) + "\n"


def _input(tensor: Tensor) -> Iterator[str]:
    extents = (-1 if i in tensor.open_axes else n for i, n in enumerate(tensor.shape))
    dims = " ".join(f"dim: {extent}" for extent in extents)
    yield from _layer(
        tensor.name, "Input", (), tensor.name, f"  input_param {{ shape {{ {dims} }} }}"
    )


def _layer(name: str, kind: str, bottoms: Sequence[str], top: str, *more: str) -> Iterator[str]:
    yield "layer {"
    yield f"  name: {_text(name)}"
    yield f"  type: {_text(kind)}"
    yield from (f"  bottom: {_text(bottom)}" for bottom in bottoms)
    yield f"  top: {_text(top)}"
    yield from more
    yield "}"


def _text(value: str) -> str:
    return json.dumps(value)  # protobuf's text takes the escapes of JSON's

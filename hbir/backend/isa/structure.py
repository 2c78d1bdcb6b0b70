"""What of a program is JSON in files and texts: graphs, interfaces, segments and layers.

What instructions never touch is JSON: small, readable with any tool. A reader trusts none of it
(`json_fields`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hbir.backend.isa.enums import DType
from hbir.backend.isa.json_fields import (
    Fields,
    Json,
    StructureError,
    plain,
    unplain,
)
from hbir.backend.isa.program import (
    NO_VALUE,
    BpuSegment,
    CpuSegment,
    FunctionCall,
    Graph,
    Layer,
    Program,
    Segment,
    SharedBox,
    Tensor,
    Value,
)

MAX_CORES = 64
MAX_ON_CHIP_BYTES = 1 << 31
MAX_TENSOR_BYTES = 1 << 31
"""The published limit of an input or output."""
MAX_RANK = 10
"""The published limit of an input's or output's rank."""
MAX_ROW_ALIGN_BYTES = 1 << 12


def tensor_to_json(tensor: Tensor) -> Json:
    """An input or output."""
    value: dict[str, Json] = {
        "name": tensor.name,
        "type": tensor.dtype.name.lower(),
        "shape": list(tensor.shape),
    }
    if tensor.open_axes:
        value["open_axes"] = list(tensor.open_axes)
        value["row_align_bytes"] = tensor.row_align_bytes
    else:
        value["strides"] = list(tensor.strides)
    if tensor.description:
        value["description"] = tensor.description
    if tensor.scales:
        value["scales"] = list(tensor.scales)
        value["zero_points"] = list(tensor.zero_points)
    if tensor.channel_axis is not None:
        value["channel_axis"] = tensor.channel_axis
    return value


def tensor_of_json(fields: Fields) -> Tensor:
    """The input or output of a JSON object."""
    dtype = _dtype(fields)
    shape = fields.integers("shape", MAX_TENSOR_BYTES, 1)
    if "open_axes" in fields.value:
        return _open_of_json(fields, dtype, shape)
    strides = fields.integers("strides", MAX_TENSOR_BYTES)
    if len(shape) != len(strides) or len(shape) > MAX_RANK:
        raise StructureError(
            f"{fields.path}: {len(shape)} axes and {len(strides)} strides; expected as many, at"
            f" most {MAX_RANK}"
        )
    axis = fields.integer("channel_axis", MAX_RANK) if "channel_axis" in fields.value else None
    quantized = "scales" in fields.value
    tensor = Tensor(
        fields.text("name"),
        dtype,
        shape,
        strides,
        fields.text("description") if "description" in fields.value else "",
        tuple(float(s) for s in fields.list("scales")) if quantized else (),
        fields.integers("zero_points", 1 << 31, -(1 << 31)) if quantized else (),
        axis,
    )
    last = sum((d - 1) * s for d, s in zip(shape, strides, strict=True)) + tensor.dtype.itemsize
    if not last <= tensor.buffer_bytes <= MAX_TENSOR_BYTES:
        raise StructureError(
            f"{fields.path}: shape {list(shape)} with strides {list(strides)} takes {last} bytes of"
            f" a buffer of {tensor.buffer_bytes} (at most {MAX_TENSOR_BYTES})"
        )
    return tensor


def _open_of_json(fields: Fields, dtype: DType, shape: tuple[int, ...]) -> Tensor:
    """An input with open extents; its strides follow from the rest."""
    axes = fields.integers("open_axes", len(shape) - 1)
    if not axes or list(axes) != sorted(set(axes)) or len(shape) > MAX_RANK:
        raise StructureError(f"{fields.path}.open_axes: {list(axes)} of {list(shape)}")
    align = fields.integer("row_align_bytes", MAX_ROW_ALIGN_BYTES, 1)
    said = fields.text("description") if "description" in fields.value else ""
    tensor = Tensor.open(fields.text("name"), dtype, shape, axes, align, said)
    if shape[0] * tensor.run_strides(shape)[0] > MAX_TENSOR_BYTES:
        raise StructureError(f"{fields.path}: it may take over {MAX_TENSOR_BYTES} bytes")
    return tensor


def _dtype(fields: Fields) -> DType:
    name = fields.text("type").upper()
    if name not in DType.__members__:
        raise StructureError(f"{fields.path}.type: there is no element type {name.lower()!r}")
    return DType[name]


def layer_to_json(layer: Layer) -> Json:
    """An entry of the debug table."""
    value: dict[str, Json] = {"name": layer.name, "kind": layer.kind}
    if layer.operations:
        value["operations"] = layer.operations
    if layer.mac_type:
        value["mac_type"] = layer.mac_type
    if layer.origin_ops:
        value["origin_ops"] = list(layer.origin_ops)
    return value


def layer_of_json(fields: Fields) -> Layer:
    """The layer of a JSON object."""
    given = fields.value
    return Layer(
        fields.text("name"),
        fields.text("kind"),
        fields.integer("operations", 1 << 62) if "operations" in given else 0,
        fields.text("mac_type") if "mac_type" in given else "",
        tuple(str(op) for op in fields.list("origin_ops")) if "origin_ops" in given else (),
    )


def value_to_json(value: Value) -> Json:
    """A value of the debug table."""
    fields: dict[str, Json] = {
        "name": value.name,
        "type": value.dtype.name.lower(),
        "shape": list(value.shape),
    }
    if value.perm:
        fields["perm"] = list(value.perm)
    if value.scale is not None:
        fields["scale"] = value.scale
    if value.zero_point:
        fields["zero_point"] = value.zero_point
    if value.view_of is not None:
        fields["view_of"] = value.view_of
    if value.shared:
        fields["shared"] = [
            [box.value, list(box.origin), list(box.source), list(box.shape)] for box in value.shared
        ]
    return fields


def value_of_json(fields: Fields, number: int) -> Value:
    """The value of a JSON object; number: its own, for it may refer to those before it."""
    given = fields.value
    shape = fields.integers("shape", MAX_TENSOR_BYTES, 1)
    perm = fields.integers("perm", MAX_RANK) if "perm" in given else ()
    if len(shape) > MAX_RANK or (perm and sorted(perm) != list(range(len(shape)))):
        raise StructureError(f"{fields.path}: malformed shape or perm")
    scale = fields.get("scale") if "scale" in given else None
    if not isinstance(scale, float | int | None):
        raise StructureError(f"{fields.path}.scale: expected a number")
    value = Value(
        fields.text("name"),
        _dtype(fields),
        shape,
        perm,
        None if scale is None else float(scale),
        fields.integer("zero_point", 1 << 31, -(1 << 31)) if "zero_point" in given else 0,
        fields.integer("view_of", number - 1) if "view_of" in given else None,
        tuple(_shared_of_json(f) for f in _rows(fields, "shared")) if "shared" in given else (),
    )
    for box in value.shared:
        ends = (o + s for o, s in zip(box.origin, box.shape, strict=True))
        rank_fits = len(box.shape) == len(shape)
        if not rank_fits or box.value >= number or any(map(int.__gt__, ends, shape)):
            raise StructureError(f"{fields.path}.shared: a box outside the value")
    if np.prod(shape, dtype=float) * value.dtype.itemsize > MAX_TENSOR_BYTES:
        raise StructureError(f"{fields.path}: a value has at most {MAX_TENSOR_BYTES} bytes")
    return value


def _rows(fields: Fields, key: str) -> list[Fields]:
    """A list of lists, each as an object whose keys are its positions."""
    rows: list[Fields] = []
    for i, item in enumerate(fields.list(key)):
        path = f"{fields.path}.{key}[{i}]"
        row = Fields({"": item}, path).list("")
        rows.append(Fields({str(n): entry for n, entry in enumerate(row)}, path))
    return rows


def _shared_of_json(row: Fields) -> SharedBox:
    origin, source, shape = (row.integers(key, MAX_TENSOR_BYTES) for key in ("1", "2", "3"))
    if not len(origin) == len(source) == len(shape):
        raise StructureError(f"{row.path}: a box's origin, source and shape differ in rank")
    return SharedBox(row.integer("0", 0xFFFFFFFE), origin, source, shape)


# --------------------------------------------------------------------------- the whole structure


def structure_to_json(program: Program, queue_numbers: Mapping[int, tuple[int, int]]) -> Json:
    """Machine and graphs. queue_numbers: `id` of a function call → (first queue, queues)."""
    return {
        **machine_to_json(program),
        "graphs": [_graph_to_json(graph, queue_numbers) for graph in program.graphs],
    }


def machine_to_json(program: Program) -> dict[str, Json]:
    """The machine that a program was compiled for, and how."""
    return {
        "march": program.march,
        "cores": program.cores,
        "l1_bytes": program.l1_bytes,
        "l2_bytes": program.l2_bytes,
        "information": dict(program.information),
    }


def graph_head_to_json(graph: Graph) -> dict[str, Json]:
    """A graph's own values, without what it contains."""
    value: dict[str, Json] = {"name": graph.name, "workspace_bytes": graph.workspace_bytes}
    if graph.description:
        value["description"] = graph.description
    return value


def cpu_to_json(segment: CpuSegment) -> dict[str, Json]:
    """A CPU call's own values, without its operands."""
    value: dict[str, Json] = {
        "signature": segment.signature,
        "parameters": plain(segment.parameters),
        "layer": segment.layer,
    }
    if segment.reason:
        value["reason"] = segment.reason
    if segment.values:
        value["values"] = list(segment.values)
    return value


def _graph_to_json(graph: Graph, queue_numbers: Mapping[int, tuple[int, int]]) -> Json:
    return {
        **graph_head_to_json(graph),
        "inputs": [tensor_to_json(tensor) for tensor in graph.inputs],
        "outputs": [tensor_to_json(tensor) for tensor in graph.outputs],
        "segments": [_segment_to_json(segment, queue_numbers) for segment in graph.segments],
    }


def _segment_to_json(segment: Segment, queue_numbers: Mapping[int, tuple[int, int]]) -> Json:
    if isinstance(segment, CpuSegment):
        operands = {"inputs": list(segment.inputs), "outputs": list(segment.outputs)}
        return {"cpu": {**cpu_to_json(segment), **operands}}
    return {"bpu": [list(queue_numbers[id(call)]) for call in segment.calls]}


def graphs_of_json(
    fields: Fields,
    layers: Sequence[tuple[Layer, ...]],
    values: Sequence[Sequence[Fields]],
    calls: Sequence[FunctionCall],
) -> tuple[Graph, ...]:
    """The graphs of a structure; `calls` are the function calls in the order they are named,
    `values` by graph those of the debug section, still JSON."""
    objects = fields.objects("graphs")
    if not len(objects) == len(layers) == len(values):
        raise StructureError(
            f"{fields.path}.graphs: {len(objects)} graphs, the debug section has {len(layers)}"
        )
    remaining = iter(calls)
    graphs: list[Graph] = []
    for graph, graph_layers, graph_values in zip(objects, layers, values, strict=True):
        segments = [
            _segment_of_json(segment, remaining, len(graph_layers))
            for segment in graph.objects("segments")
        ]
        inputs = tuple(tensor_of_json(tensor) for tensor in graph.objects("inputs"))
        graphs.append(
            Graph(
                graph.text("name"),
                inputs,
                _outputs(graph),
                tuple(segments),
                graph_layers,
                graph.integer("workspace_bytes"),
                graph.text("description") if "description" in graph.value else "",
                tuple(value_of_json(f, n) for n, f in enumerate(graph_values, len(inputs))),
            )
        )
    return tuple(graphs)


def _outputs(graph: Fields) -> tuple[Tensor, ...]:
    outputs = tuple(tensor_of_json(tensor) for tensor in graph.objects("outputs"))
    if any(tensor.open_axes for tensor in outputs):
        raise StructureError(f"{graph.path}.outputs: only inputs have open extents")
    return outputs


def _segment_of_json(fields: Fields, calls: Any, layer_count: int) -> Segment:
    if "cpu" not in fields.value:
        return BpuSegment(tuple(next(calls) for _ in fields.list("bpu")))
    cpu = Fields(fields.get("cpu"), f"{fields.path}.cpu")
    return cpu_of_json(
        cpu,
        cpu.integers("inputs", 0xFFFFFFFE),
        cpu.integers("outputs", 0xFFFFFFFE),
        max(layer_count - 1, 0),
    )


def cpu_of_json(
    fields: Fields, inputs: tuple[int, ...], outputs: tuple[int, ...], last_layer: int
) -> CpuSegment:
    """The CPU call of a JSON object and its operands."""
    return CpuSegment(
        fields.text("signature"),
        unplain(fields.mapping("parameters"), f"{fields.path}.parameters"),
        inputs,
        outputs,
        fields.integer("layer", last_layer),
        fields.text("reason") if "reason" in fields.value else "",
        fields.integers("values", NO_VALUE) if "values" in fields.value else (),
    )


def call_ranges(fields: Fields, queue_count: int) -> list[tuple[int, int]]:
    """(first queue, queues) of every function call, in order, checked against the queue table."""
    ranges: list[tuple[int, int]] = []
    graphs = fields.objects("graphs")
    for segment in (segment for graph in graphs for segment in graph.objects("segments")):
        entries = [] if "cpu" in segment.value else segment.list("bpu")
        for index, entry in enumerate(entries):
            path = f"{segment.path}.bpu[{index}]"
            pair = Fields({"": entry}, path).integers("", queue_count)
            if len(pair) != 2 or pair[0] + pair[1] > queue_count:
                raise StructureError(f"{path}: expected [first queue, queues] of {queue_count}")
            ranges.append((pair[0], pair[1]))
    return ranges

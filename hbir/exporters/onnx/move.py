"""Ops that only move elements. A transpose of the IR is no node: it is another layout of x."""

from __future__ import annotations

from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.registry import exports
from hbir.ir.origin import origin_of
from hbir.passes.permutation import (
    Dims,
    identity,
    inverse,
    moves_nothing,
    through_reshape,
)


@exports("hbir.transpose")
def transpose(node: NodeExport) -> None:
    """The same tensor under another layout."""
    node.values.add_transposed(node.result, node.operands[0], tuple(node.params["dims"]))


@exports("hbir.reshape")
def reshape(node: NodeExport) -> None:
    """Reshape, in x's own layout where the axes that merge and split lie together in it."""
    dims = _as_transpose(node)
    if dims is not None:
        node.values.add_transposed(node.result, node.operands[0], dims)
        return
    layout, shape = node.layout(), tuple(node.params["shape"])
    source = [node.shape()[axis] for axis in layout]
    moved = through_reshape(source, inverse(layout), shape)
    if moved is None or not moves_nothing(source, moved.before):
        node.finish("Reshape", node.tensor(), node.integers(shape, "shape"))
        return
    wanted = node.integers(moved.shape, "shape")
    node.finish("Reshape", node.own(), wanted, layout=inverse(moved.after))


def _as_transpose(node: NodeExport) -> Dims | None:
    """The dims of the transpose that a reshape is, where both sides are one source tensor.

    Moving axes of extent 1 alone, hbir writes a transpose as a reshape.
    """
    before, after = origin_of(node.operands[0]), origin_of(node.result)
    shape, result = node.shape(), node.result_shape
    if before is None or after is None or before.tensor != after.tensor:
        return None
    if len(shape) != len(result):
        return None
    axes = identity(len(shape))
    source = before.perm or axes
    dims = tuple(source.index(axis) for axis in (after.perm or axes))
    same = all(shape[dim] == extent for dim, extent in zip(dims, result, strict=True))
    return dims if same and moves_nothing(shape, dims) else None


@exports("hbir.concat")
def concat(node: NodeExport) -> None:
    """Concat, in the layout that most of the operands have."""
    rank = len(node.result_shape)
    tensors, layout = node.broadcast(*range(len(node.operands)))
    node.finish("Concat", *tensors, layout=layout, axis=layout.index(node.params["dim"] % rank))


@exports("hbir.slice")
def slice_(node: NodeExport) -> None:
    """Slice of the axes that lose something."""
    layout = node.layout()
    shape = node.shape()
    steps = node.params.get("step") or (1,) * len(shape)
    bounds = list(zip(node.params["begin"], node.params["end"], steps, strict=True))
    cut = [position for position, axis in enumerate(layout) if bounds[axis] != (0, shape[axis], 1)]
    if not cut:
        node.finish("Identity", node.own(), layout=layout)
        return
    parts = [[bounds[layout[position]][part] for position in cut] for part in range(3)]
    begin, end, step = parts
    inputs = [
        node.integers(begin, "starts"),
        node.integers(end, "ends"),
        node.integers(cut, "axes"),
        *([node.integers(step, "steps")] if any(s != 1 for s in step) else []),
    ]
    node.finish("Slice", node.own(), *inputs, layout=layout)


@exports("hbir.pad")
def pad(node: NodeExport) -> None:
    """Pad with a constant."""
    layout = node.layout()
    if not layout:  # onnxruntime refuses scalars
        node.finish("Identity", node.own())
        return
    amounts = [node.params[side][axis] for side in ("begin", "end") for axis in layout]
    value = node.params["pad_value"]
    constant = node.number(value, node.dtype()) if value else ""
    node.finish("Pad", node.own(), node.integers(amounts, "pads"), constant, layout=layout)


@exports("hbir.tile")
def tile(node: NodeExport) -> None:
    """Tile."""
    layout = node.layout()
    if not layout:  # onnxruntime refuses scalars
        node.finish("Identity", node.own())
        return
    repeats = [node.params["multiplies"][axis] for axis in layout]
    node.finish("Tile", node.own(), node.integers(repeats, "repeats"), layout=layout)

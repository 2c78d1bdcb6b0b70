"""Reductions over whole axes, and running sums."""

from __future__ import annotations

from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.registry import exports

OPERATORS = {
    "hbir.reduce_mean": "ReduceMean",
    "hbir.reduce_sum": "ReduceSum",
    "hbir.reduce_max": "ReduceMax",
    "hbir.reduce_min": "ReduceMin",
}


@exports(*OPERATORS)
def reduce(node: NodeExport) -> None:
    """One operator. The mean of an image's H and W is a GlobalAveragePool where they stay."""
    dims, kept = axes_of(node), node.params["keep_dim"]
    layout = node.layout()
    axes = sorted(layout.index(dim) for dim in dims)
    if node.name == "hbir.reduce_mean" and kept and node.rank() == 4 and axes == [2, 3]:
        node.finish("GlobalAveragePool", node.own(), layout=layout)
        return
    node.finish(
        OPERATORS[node.name],
        node.own(),
        node.integers(axes, "axes"),
        layout=reduced_layout(layout, dims, kept),
        keepdims=int(kept),
    )


def axes_of(node: NodeExport) -> tuple[int, ...]:
    """The axes in `dims`, not negative."""
    return tuple(sorted({dim % node.rank() for dim in node.params["dims"]}))


def reduced_layout(layout: tuple[int, ...], dims: tuple[int, ...], kept: bool) -> tuple[int, ...]:
    """The layout of a reduction's result, whose axes `dims` stay or go."""
    if kept:
        return layout
    left = [axis for axis in sorted(layout) if axis not in dims]
    return tuple(left.index(axis) for axis in layout if axis not in dims)


@exports("hbir.cumsum")
def cumsum(node: NodeExport) -> None:
    """CumSum."""
    layout = node.layout()
    axis = layout.index(node.params["axis"] % node.rank())
    node.finish(
        "CumSum",
        node.own(),
        node.number(axis, "int64"),
        layout=layout,
        exclusive=int(node.params["exclusive"]),
        reverse=int(node.params["reverse"]),
    )

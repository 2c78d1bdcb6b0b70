"""Where the greatest and the least elements are."""

from __future__ import annotations

from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.reduce import axes_of, reduced_layout
from hbir.exporters.onnx.registry import exports

OPERATORS = {"hbir.reduce_argmax": "ArgMax", "hbir.reduce_argmin": "ArgMin"}


@exports(*OPERATORS)
def arg(node: NodeExport) -> None:
    """One operator; the first of equals."""
    layout, kept = node.layout(), node.params["keep_dim"]
    dims = axes_of(node)
    node.finish(
        OPERATORS[node.name],
        node.own(),
        layout=reduced_layout(layout, dims, kept),
        axis=layout.index(dims[0]),
        keepdims=int(kept),
    )

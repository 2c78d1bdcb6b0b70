"""Elements put in places that indices say."""

from __future__ import annotations

from hbir.exporters.onnx.index import positions
from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.registry import exports


@exports("hbir.scatter_elements")
def scatter_elements(node: NodeExport) -> None:
    """ScatterElements."""
    node.finish(
        "ScatterElements",
        node.tensor(),
        positions(node, 1),
        node.tensor(2),
        axis=node.params["dim"],
        reduction=_reduction(node),
    )


@exports("hbir.scatter_nd")
def scatter_nd(node: NodeExport) -> None:
    """ScatterND."""
    indices = positions(node, 1, wide=True)
    node.finish("ScatterND", node.tensor(), indices, node.tensor(2), reduction=_reduction(node))


def _reduction(node: NodeExport) -> str | None:
    mode = node.params["scatter_reduce_mode"]
    return None if mode == "none" else mode

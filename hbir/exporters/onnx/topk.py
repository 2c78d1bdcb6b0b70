"""The order of elements."""

from __future__ import annotations

from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.registry import exports


@exports("hbir.topk")
def topk(node: NodeExport) -> None:
    """The second result of TopK; the IR's op has no other."""
    layout = node.layout()
    best = node.graph.tensors.fresh(f"{node.result_name(layout)}/values")
    places = node.graph.tensors.fresh(node.result_name(layout))
    node.emit_all(
        "TopK",
        [node.own(), node.integers([node.params["k"]], "k")],
        [best, places],
        axis=layout.index(node.params["dim"] % node.rank()),
        largest=int(node.params["largest"]),
    )
    node.values.add(node.result, layout, places)

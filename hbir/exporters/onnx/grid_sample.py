"""Sampling of an image at positions that are data."""

from __future__ import annotations

from hbir.exporters.onnx.node_export import IMAGE, NodeExport
from hbir.exporters.onnx.registry import exports

MODES = {"bilinear": "linear", "nearest": "nearest"}
"""As opset 20 calls them; before it they are as here."""


@exports("hbir.grid_sample")
def grid_sample(node: NodeExport) -> None:
    """GridSample, of x less the value that lies outside where that isn't 0."""
    p = node.params
    outside = p["pad_value"] if p["expansion_mode"] == "constant" else 0.0
    x = node.tensor(0, IMAGE)
    attributes = {
        "mode": MODES[p["mode"]] if node.opset >= 20 else p["mode"],
        "padding_mode": "zeros" if p["expansion_mode"] == "constant" else "border",
        "align_corners": int(p["align_corner"]),
    }
    if not outside:
        node.finish("GridSample", x, node.tensor(1), layout=IMAGE, **attributes)
        return
    value = node.number(outside)
    sampled = node.emit("GridSample", node.emit("Sub", x, value), node.tensor(1), **attributes)
    node.finish("Add", sampled, value, layout=IMAGE)

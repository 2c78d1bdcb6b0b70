"""Scaled dot-product attention, written out: ONNX has it whole since opset 23."""

from __future__ import annotations

from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.registry import exports
from hbir.kernels.float.attention import MASKED, causal_mask


@exports("hbir.attention")
def attention(node: NodeExport) -> None:
    """softmax(scale · query · keyᵀ + mask) · value."""
    p, rank = node.params, node.rank(1)
    swapped = (*range(rank - 2), rank - 1, rank - 2)
    scores = node.emit("MatMul", node.tensor(0), node.tensor(1, swapped))
    scores = node.emit("Mul", scores, node.number(p["scale"]))
    if p["softcap"]:
        cap = node.number(p["softcap"])
        scores = node.emit("Mul", node.emit("Tanh", node.emit("Div", scores, cap)), cap)
    if node.has(3):
        mask = node.emit("Max", node.tensor(3), node.number(MASKED))
        scores = node.emit("Add", scores, mask)
    if p["is_causal"]:
        mask = causal_mask(node.shape(0)[-2], node.shape(1)[-2])
        scores = node.emit("Add", scores, node.array(mask, "causal_mask"))
    node.finish("MatMul", node.emit("Softmax", scores, axis=-1), node.tensor(2))

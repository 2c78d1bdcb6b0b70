"""Elements chosen by indices that are data. ONNX takes indices beyond an axis for errors."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.registry import exports


@exports("hbir.index")
def index(node: NodeExport) -> None:
    """Gather."""
    node.finish("Gather", node.tensor(), positions(node, 1), axis=node.params["dim"])


@exports("hbir.gather_elements")
def gather_elements(node: NodeExport) -> None:
    """GatherElements."""
    node.finish("GatherElements", node.tensor(), positions(node, 1), axis=node.params["dim"])


@exports("hbir.gather_nd")
def gather_nd(node: NodeExport) -> None:
    """GatherND."""
    indices = positions(node, 1, wide=True)
    node.finish("GatherND", node.tensor(), indices, batch_dims=node.params["batch_dim"])


def positions(node: NodeExport, operand: int, *, wide: bool = False) -> str:
    """Indices as int64 (or int32, unless `wide`), the types that ONNX takes."""
    accepted = (np.int64,) if wide else (np.int64, np.int32)
    tensor = node.tensor(operand)
    if node.dtype(operand) in accepted:
        return tensor
    return node.emit("Cast", tensor, to=TensorProto.INT64)

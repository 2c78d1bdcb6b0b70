"""Image inputs: camera planes to channels, colour spaces and normalisation, in float64 inside."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.registry import exports
from hbir.kernels.float.image import COLOUR_SPACES, SIGNED_OFFSET


@exports("hbir.image_convert")
def image_convert(node: NodeExport) -> None:
    """The planes less 128, chroma repeated 2x2 by a Resize."""
    planes = [node.emit("Cast", node.tensor(0), to=TensorProto.INT32)]
    if node.params["mode"] == "NV12":
        chroma = node.emit("Cast", node.tensor(1), to=TensorProto.INT32)
        factors = node.array(np.array([1, 2, 2, 1], np.float32), "scales")
        planes.append(
            node.emit(
                "Resize",
                chroma,
                "",
                factors,
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            )
        )
    channels = node.emit("Concat", *planes, axis=3) if len(planes) > 1 else planes[0]
    centred = node.emit("Sub", channels, node.number(SIGNED_OFFSET, np.int32))
    node.finish("Cast", centred, to=TensorProto.INT8)


@exports("hbir.image_preprocess")
def image_preprocess(node: NodeExport) -> None:
    """((csc(x + 128) / divisor) − mean) / sd."""
    p = node.params

    def row(values: object) -> str:
        return node.array(np.asarray(values, np.float64), "row")

    x = node.emit("Cast", node.tensor(0), to=TensorProto.DOUBLE)
    if p["signed"]:
        x = node.emit("Add", x, row(SIGNED_OFFSET))
    if p["csc"] != "skip":
        matrix, offset, clipped = COLOUR_SPACES[p["csc"]]
        x = node.emit("MatMul", node.emit("Sub", x, row(offset)), row(matrix.T))
        if clipped:
            x = node.emit("Clip", x, row(0.0), row(255.0))
    x = node.emit("Div", x, row(p["divisor"]))
    x = node.emit("Div", node.emit("Sub", x, row(p["mean"])), row(p["sd"]))
    node.finish("Cast", x, to=TensorProto.FLOAT)

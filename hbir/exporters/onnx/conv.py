"""Convolution and its transpose, on images (N, C, H, W)."""

from __future__ import annotations

from collections.abc import Sequence

from hbir.exporters.onnx.node_export import IMAGE, NodeExport
from hbir.exporters.onnx.registry import exports

_SPATIAL = 2


@exports("hbir.conv2d")
def conv2d(node: NodeExport) -> None:
    """Conv; what negative pads cut off is sliced away before."""
    x, pads = cropped(node, node.tensor(0, IMAGE), node.params["pad"])
    inputs = [x, node.tensor(1, IMAGE), *([node.tensor(2)] if node.has(2) else [])]
    node.finish(
        "Conv",
        *inputs,
        layout=IMAGE,
        kernel_shape=list(node.shape(1)[1:3]),
        strides=list(node.params["stride"]),
        pads=pads,
        dilations=list(node.params["dilation"]),
        group=node.params["group_num"],
    )


def cropped(node: NodeExport, x: str, pad: Sequence[int]) -> tuple[str, list[int]]:
    """An image without what negative pads cut off, and the pads that remain."""
    if min(pad) >= 0:
        return x, list(pad)
    height, width = node.shape(0)[1:3]
    begin = [max(0, -side) for side in pad[:_SPATIAL]]
    end = [extent - max(0, -pad[2 + axis]) for axis, extent in enumerate((height, width))]
    slices = [
        node.integers(begin, "starts"),
        node.integers(end, "ends"),
        node.integers([2, 3], "axes"),
    ]
    return node.emit("Slice", x, *slices), [max(0, side) for side in pad]


@exports("hbir.convtranspose")
def convtranspose(node: NodeExport) -> None:
    """ConvTranspose; the bias is added behind a Pad where the result is lengthened by more than
    `output_padding` may be."""
    pad, stride = node.params["pad"], node.params["stride"]
    dilation = node.params["dilation"]
    longer = [max(0, -side) for side in pad]
    # onnxruntime refuses more, where onnx allows as much as the dilation.
    fits = not any(longer[:2]) and all(longer[2 + axis] < stride[axis] for axis in range(_SPATIAL))
    attributes = {
        "kernel_shape": list(node.shape(1)[1:3]),
        "strides": list(stride),
        "pads": [max(0, side) for side in pad],
        "dilations": list(dilation),
        "group": node.params["group_num"],
    }
    inputs = [node.tensor(0, IMAGE), node.tensor(1, IMAGE)]
    if fits:
        bias = [node.tensor(2)] if node.has(2) else []
        outputs = longer[2:] if any(longer) else None
        node.finish(
            "ConvTranspose", *inputs, *bias, layout=IMAGE, output_padding=outputs, **attributes
        )
        return
    result = node.emit("ConvTranspose", *inputs, **attributes)
    pads = node.integers([0, 0, *longer[:2], 0, 0, *longer[2:]], "pads")
    if not node.has(2):
        node.finish("Pad", result, pads, layout=IMAGE)
        return
    bias = node.reshaped(2, [1, -1, 1, 1])
    node.finish("Add", node.emit("Pad", result, pads), bias, layout=IMAGE)

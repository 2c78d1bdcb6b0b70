"""Pooling, on images (N, C, H, W).

Where ONNX's operators can't say the same (a ceil mode whose last window reaches far out, pads that
onnxruntime refuses under dilation), the image is padded before; a mean is then multiplied by how
many elements were taken to be over how many are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hbir.exporters.onnx.node_export import IMAGE, NodeExport
from hbir.exporters.onnx.registry import exports
from hbir.ir.types import Array
from hbir.kernels.table import execute
from hbir.kernels.window import window_extent, window_shape


@exports("hbir.max_pool")
def max_pool(node: NodeExport) -> None:
    """MaxPool."""
    x = node.tensor(0, IMAGE)
    pads = _reach(node)
    if not _accepted(node, pads):
        top, left, bottom, right = pads
        amounts = node.integers([0, 0, top, left, 0, 0, bottom, right], "pads")
        x = node.emit("Pad", x, amounts, node.number(float(np.finfo(np.float32).min)))
        pads = [0, 0, 0, 0]
    node.finish("MaxPool", x, layout=IMAGE, pads=pads, **_attributes(node))


@exports("hbir.avg_pool")
def avg_pool(node: NodeExport) -> None:
    """AveragePool."""
    x = node.tensor(0, IMAGE)
    pads = _reach(node)
    counted = node.params["count_include_pad"]
    plain = pads == list(node.params["pad"])
    if plain and _accepted(node, pads):
        count = int(counted) if any(pads) else None
        attributes = {"count_include_pad": count, **_attributes(node)}
        node.finish("AveragePool", x, layout=IMAGE, pads=pads, **attributes)
        return
    mean = node.emit("AveragePool", _surrounded(node, x, pads), **_attributes(node))
    node.finish("Mul", mean, node.array(_shares(node), "shares"), layout=IMAGE)


def _attributes(node: NodeExport) -> dict[str, Any]:
    dilation = list(node.params["dilation"])
    return {
        "kernel_shape": list(node.params["kernel"]),
        "strides": list(node.params["stride"]),
        "dilations": dilation if dilation != [1, 1] else None,
    }


def _reach(node: NodeExport) -> list[int]:
    """The pads with the end ones as far as the last windows reach, so that none is left over."""
    p = node.params
    extent = node.shape(0)[1:3]
    size = window_shape(
        extent, p["kernel"], p["stride"], p["pad"], p["dilation"], ceil_mode=p["ceil_mode"]
    )
    pads = list(p["pad"])
    if not p["ceil_mode"]:
        return pads
    for axis in (0, 1):
        last = (size[axis] - 1) * p["stride"][axis]
        last += window_extent(p["kernel"][axis], p["dilation"][axis])
        pads[2 + axis] = max(pads[2 + axis], last - pads[axis] - extent[axis])
    return pads


def _accepted(node: NodeExport, pads: Sequence[int]) -> bool:
    """Whether onnxruntime takes these pads: each less than the kernel."""
    kernel = node.params["kernel"]
    return all(pads[side] < kernel[side % 2] for side in range(4))


def _surrounded(node: NodeExport, x: str, pads: Sequence[int]) -> str:
    """An image with zeros around it. By Concat: onnxruntime would move a Pad into the pool, and
    then refuse what it made."""
    batch, height, width, channels = node.shape()
    shape = [batch, channels, height, width]
    for axis in (0, 1):
        parts = [x]
        for position, amount in ((0, pads[axis]), (len(parts) + 1, pads[2 + axis])):
            extents = [amount if i == 2 + axis else extent for i, extent in enumerate(shape)]
            if amount:
                parts.insert(position, node.array(np.zeros(extents, np.float32), "zeros"))
        shape[2 + axis] += pads[axis] + pads[2 + axis]
        x = node.emit("Concat", *parts, axis=2 + axis) if len(parts) > 1 else x
    return x


def _shares(node: NodeExport) -> Array:
    """(1, 1, OH, OW): what hbir's mean of ones in windows over padding is, 1 where none counts."""
    ones = np.ones((1, *node.shape(0)[1:3], 1), np.float32)
    counted = execute("hbir.avg_pool", [ones], dict(node.params))
    taken = _mean_over_all(node, ones)
    share = np.where(taken > 0, counted / np.maximum(taken, 1e-30), 0)
    return np.asarray(share.transpose(IMAGE), np.float32)


def _mean_over_all(node: NodeExport, ones: Array) -> Array:
    """The mean of ones over whole windows, everything beyond the image counting as 0."""
    top, left, bottom, right = _reach(node)
    wide = np.pad(ones, ((0, 0), (top, bottom), (left, right), (0, 0)))
    params = {**node.params, "pad": (0, 0, 0, 0), "ceil_mode": False}
    return execute("hbir.avg_pool", [wide], params)

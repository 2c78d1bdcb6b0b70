"""Norms over statistics of the tensor itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.norm import channels_second
from hbir.exporters.onnx.reduce import axes_of
from hbir.exporters.onnx.registry import exports


@exports("hbir.layernorm")
def layernorm(node: NodeExport) -> None:
    """LayerNormalization over the last axes; over others written out."""
    dims, rank = axes_of(node), node.rank()
    epsilon = node.params["eps"]
    if dims == tuple(range(rank - len(dims), rank)):
        extents = [node.shape()[dim] for dim in dims]
        weight = node.tensor(1) if node.has(1) else node.array(np.ones(extents, "f4"), "scale")
        bias = [node.tensor(2)] if node.has(2) else []
        node.finish(
            "LayerNormalization", node.tensor(), weight, *bias, axis=dims[0], epsilon=epsilon
        )
        return
    axes = node.integers(dims, "axes")
    centred = node.emit("Sub", node.tensor(), node.emit("ReduceMean", node.tensor(), axes))
    _divided_by_root(node, centred, axes, dims)


@exports("hbir.rms_norm")
def rms_norm(node: NodeExport) -> None:
    """x / √(mean of x² + eps) · weight; ONNX has it whole since opset 23."""
    dims = axes_of(node)
    _divided_by_root(node, node.tensor(), node.integers(dims, "axes"), dims)


def _divided_by_root(node: NodeExport, x: str, axes: str, dims: Sequence[int]) -> None:
    """x / √(mean of x² + eps), times and plus the operands behind x, whose axes are `dims`."""
    square = node.emit("ReduceMean", node.emit("Mul", x, x), axes)
    root = node.emit("Sqrt", node.emit("Add", square, node.number(node.params["eps"])))
    shape = [size if axis in dims else 1 for axis, size in enumerate(node.shape())]
    steps = [("Div", root)]
    for index, operator in ((1, "Mul"), (2, "Add")):
        if node.has(index):
            steps.append((operator, node.reshaped(index, shape)))
    for operator, other in steps[:-1]:
        x = node.emit(operator, x, other)
    node.finish(steps[-1][0], x, steps[-1][1])


@exports("hbir.groupnorm")
def groupnorm(node: NodeExport) -> None:
    """InstanceNormalization of the groups as channels, then weight and bias per channel."""
    shape, rank = node.shape(), node.rank()
    layout = channels_second(rank)
    groups, channels = node.params["group_num"], shape[-1]
    ones, zeros = np.ones(groups, np.float32), np.zeros(groups, np.float32)
    grouped = node.reshape(node.tensor(0, layout), [shape[0], groups, -1])
    normal = node.emit(
        "InstanceNormalization",
        grouped,
        node.array(ones, "ones"),
        node.array(zeros, "zeros"),
        epsilon=node.params["eps"],
    )
    steps = [("Reshape", node.integers([shape[axis] for axis in layout], "shape"))]
    per_channel = [1, channels, *[1] * (rank - 2)]
    for index, operator in ((1, "Mul"), (2, "Add")):
        if node.has(index):
            steps.append((operator, node.reshaped(index, per_channel)))
    for operator, other in steps[:-1]:
        normal = node.emit(operator, normal, other)
    node.finish(steps[-1][0], normal, steps[-1][1], layout=layout)

"""Normalisation: batch norm with constant statistics, softmax."""

from __future__ import annotations

from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.registry import exports

OPERATORS = {"hbir.softmax": "Softmax", "hbir.log_softmax": "LogSoftmax"}


@exports(*OPERATORS)
def softmax(node: NodeExport) -> None:
    """One operator, along the axis that `dim` is in the operand's layout."""
    layout = node.layout()
    axis = layout.index(node.params["dim"] % node.rank())
    node.finish(OPERATORS[node.name], node.own(), layout=layout, axis=axis)


@exports("hbir.batchnorm")
def batchnorm(node: NodeExport) -> None:
    """BatchNormalization, channels second; of a vector as a batch of one."""
    rank = node.rank()
    mean, variance, weight, bias = (node.tensor(index) for index in range(1, 5))
    parts = [weight, bias, mean, variance]
    epsilon = node.params["eps"]
    if rank == 1:
        row = node.reshape(node.tensor(), [1, -1])
        result = node.emit("BatchNormalization", row, *parts, epsilon=epsilon)
        node.finish("Reshape", result, node.integers(node.shape(), "shape"))
        return
    layout = channels_second(rank)
    node.finish(
        "BatchNormalization", node.tensor(0, layout), *parts, layout=layout, epsilon=epsilon
    )


def channels_second(rank: int) -> tuple[int, ...]:
    """The layout (N, C, ...) of (N, ..., C)."""
    return (0, rank - 1, *range(1, rank - 1))

"""BatchNormalization and Softmax."""

from __future__ import annotations

import math

from xdsl.ir import SSAValue

from hbir.frontends.emitter import channel_last
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports


@imports("BatchNormalization")
def batch_normalization(node: NodeImport) -> SSAValue:
    """BatchNormalization for inference → batchnorm."""
    if node.int_("training_mode", 0) or any(node.node.outputs[1:]):
        raise NoBpuForm("it must be exported for inference (training_mode = 0, one result)")
    rank = len(node.shape(0))
    if rank < 2:
        raise NoBpuForm(f"its input must have rank 2 or more, it has {rank}")
    scale, bias, mean, variance = (node.value(index) for index in range(1, 5))
    normal = node.emit(
        "batchnorm",
        node.channel_last_input(0),
        mean,
        variance,
        scale,
        bias,
        eps=node.float_("epsilon", 1e-5),
        origin=node.origin(perm=channel_last(rank)),
    )
    return node.channel_first_result(normal)


@imports("Softmax", "LogSoftmax")
def softmax(node: NodeImport) -> SSAValue:
    """Softmax, LogSoftmax → softmax, log_softmax over one axis.

    Before opset 13 it runs over `axis` and all axes after it, as if these were one: where they
    have more than one element, the tensor is reshaped around it.
    """
    name = "softmax" if node.node.type == "Softmax" else "log_softmax"
    shape = node.shape(0)
    flattens = node.version < 13
    axis = node.int_("axis", 1 if flattens else -1)
    if not -len(shape) <= axis < max(1, len(shape)) or not shape:
        raise NoBpuForm(f"axis {axis} is not one of shape {list(shape)}")
    axis %= len(shape)
    if not flattens or math.prod(shape[axis + 1 :]) == 1:
        return node.result(name, node.value(0), dim=axis)
    rows = math.prod(shape[:axis])
    flat = node.reshape(node.value(0), (rows, math.prod(shape[axis:])), node.step("flat"))
    return node.result("reshape", node.emit(name, flat, dim=1), shape=list(shape))

"""Batch norm and softmax."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from hbir.frontends.emitter import channel_last
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports
from hbir.frontends.torch.values import Value


@imports("_native_batch_norm_legit_no_training.default")
def batch_norm(node: NodeImport) -> list[Value]:
    """batch_norm for inference → batchnorm. Without affine parameters these are 1 and 0."""
    shape = node.shape("input")
    if len(shape) < 2:
        raise NoBpuForm(f"its input must have rank 2 or more, it has {len(shape)}")
    ones, zeros = np.ones(shape[1], np.float32), np.zeros(shape[1], np.float32)
    normal = node.emit(
        "batchnorm",
        node.channel_last(node.value("input"), node.operand("input").name),
        node.value("running_mean"),
        node.value("running_var"),
        _parameter(node, "weight", ones),
        _parameter(node, "bias", zeros),
        eps=node.float_("eps"),
        origin=node.origin(perm=channel_last(len(shape))),
    )
    return [node.channel_first_result(normal)]


def _parameter(
    node: NodeImport, name: str, default: np.ndarray[tuple[int], np.dtype[np.float32]]
) -> SSAValue:
    if node.has(name):
        return node.value(name)
    return node.constant_value(default, f"{node.origin().tensor}#{name}")


@imports("softmax.int", "_softmax.default")
def softmax(node: NodeImport) -> SSAValue:
    """softmax → softmax over one axis."""
    return node.result("softmax", node.value("self"), dim=node.axis("dim", len(node.shape())))


@imports("log_softmax.int", "_log_softmax.default")
def log_softmax(node: NodeImport) -> SSAValue:
    """log_softmax → log_softmax over one axis."""
    return node.result("log_softmax", node.value("self"), dim=node.axis("dim", len(node.shape())))

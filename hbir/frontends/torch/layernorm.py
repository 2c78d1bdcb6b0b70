"""layer_norm, rms_norm, group_norm, instance_norm: they divide by statistics of the tensor."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from hbir.frontends.emitter import channel_last
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports


@imports("layer_norm.default")
def layer_norm(node: NodeImport) -> SSAValue:
    """layer_norm → layernorm over the last axes."""
    shape, dims = node.shape("input"), _trailing_axes(node)
    extents = tuple(shape[axis] for axis in dims)
    affine = _affine(node, extents)
    return node.result("layernorm", node.value("input"), *affine, dims=dims, eps=node.float_("eps"))


@imports("rms_norm.default")
def rms_norm(node: NodeImport) -> SSAValue:
    """rms_norm → rms_norm over the last axes. Without an eps it is that of float32."""
    eps = node.float_("eps", float(np.finfo(np.float32).eps))
    weight = [node.value("weight")] if node.has("weight") else []
    return node.result("rms_norm", node.value("input"), *weight, dims=_trailing_axes(node), eps=eps)


@imports("group_norm.default")
def group_norm(node: NodeImport) -> SSAValue:
    """group_norm → groupnorm."""
    return _group_norm(node, node.int_("num_groups"))


@imports("instance_norm.default")
def instance_norm(node: NodeImport) -> SSAValue:
    """instance_norm → groupnorm with a group per channel. It must use the input's statistics."""
    if not node.bool_("use_input_stats"):
        raise NoBpuForm("it must use the statistics of its input (track_running_stats = False)")
    return _group_norm(node, node.shape("input")[1])


def _group_norm(node: NodeImport, groups: int) -> SSAValue:
    shape = node.shape("input")
    normal = node.emit(
        "groupnorm",
        node.channel_last(node.value("input"), node.operand("input").name),
        *_affine(node, shape[1:2]),
        group_num=groups,
        eps=node.float_("eps"),
        origin=node.origin(perm=channel_last(len(shape))),
    )
    return node.channel_first_result(normal)


def _trailing_axes(node: NodeImport) -> list[int]:
    rank = len(node.shape("input"))
    return list(range(rank - len(node.ints("normalized_shape")), rank))


def _affine(node: NodeImport, extents: tuple[int, ...]) -> list[SSAValue]:
    """Nothing, the weight, or the weight and the bias; a bias needs a weight before it."""
    if not node.has("bias"):
        return [node.value("weight")] if node.has("weight") else []
    if node.has("weight"):
        return [node.value("weight"), node.value("bias")]
    ones = node.constant_value(np.ones(extents, np.float32), f"{node.origin().tensor}#weight")
    return [ones, node.value("bias")]

"""LayerNormalization, RMSNormalization, GroupNormalization, InstanceNormalization, LpNormalization.

All of them divide by statistics of the tensor itself.
"""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from hbir.frontends.emitter import channel_last
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports

_SMALLEST_EPS = 1e-30
"""Stands for no epsilon: the square of any float32 that isn't denormal is beyond it."""


@imports("LayerNormalization")
def layer_normalization(node: NodeImport) -> SSAValue:
    """LayerNormalization → layernorm over `axis` and all axes after it."""
    if any(node.node.outputs[1:]):
        raise NoBpuForm("only its first result has a BPU form, not mean and deviation")
    dims = _trailing_axes(node)
    affine = [_parameter(node, index, dims) for index in (1, 2) if node.has(index)]
    eps = node.float_("epsilon", 1e-5)
    return node.result("layernorm", node.value(0), *affine, dims=dims, eps=eps)


@imports("RMSNormalization")
def rms_normalization(node: NodeImport) -> SSAValue:
    """RMSNormalization → rms_norm over `axis` and all axes after it."""
    dims = _trailing_axes(node)
    eps = node.float_("epsilon", 1e-5)
    return node.result("rms_norm", node.value(0), _parameter(node, 1, dims), dims=dims, eps=eps)


@imports("LpNormalization")
def lp_normalization(node: NodeImport) -> SSAValue:
    """x / ‖x‖₂ along one axis of C elements → rms_norm with the weight 1/√C."""
    shape = node.shape(0)
    rank = len(shape)
    if node.int_("p", 2) != 2:
        raise NoBpuForm(f"p must be 2, it is {node.int_('p', 2)}")
    axis = node.int_("axis", -1)
    if not -rank <= axis < rank:
        raise NoBpuForm(f"axis {axis} is not one of shape {list(shape)}")
    extent = shape[axis]
    weight = np.full(extent, 1 / np.sqrt(extent), np.float32)
    factors = node.constant_value(weight, f"{node.node.outputs[0]}#weight")
    return node.result("rms_norm", node.value(0), factors, dims=[axis % rank], eps=_SMALLEST_EPS)


@imports("GroupNormalization")
def group_normalization(node: NodeImport) -> SSAValue:
    """GroupNormalization → groupnorm. (That of opset 18 is deprecated, and refused by ONNX.)"""
    groups = node.int_("num_groups", 0)
    channels = node.shape(0)[1] if len(node.shape(0)) > 1 else 0
    if groups < 1 or channels % groups:
        raise NoBpuForm(f"num_groups {groups} must divide its {channels} channels")
    return _group_norm(node, groups, [node.value(1), node.value(2)])


@imports("InstanceNormalization")
def instance_normalization(node: NodeImport) -> SSAValue:
    """InstanceNormalization → groupnorm with a group per channel."""
    return _group_norm(node, node.shape(1)[0], [node.value(1), node.value(2)])


def _group_norm(node: NodeImport, groups: int, affine: list[SSAValue]) -> SSAValue:
    rank = len(node.shape(0))
    if rank < 2:
        raise NoBpuForm(f"its input must have rank 2 or more, it has {rank}")
    normal = node.emit(
        "groupnorm",
        node.channel_last_input(0),
        *affine,
        group_num=groups,
        eps=node.float_("epsilon", 1e-5),
        origin=node.origin(perm=channel_last(rank)),
    )
    return node.channel_first_result(normal)


def _trailing_axes(node: NodeImport) -> list[int]:
    """`axis` and all axes after it."""
    rank = len(node.shape(0))
    axis = node.int_("axis", -1)
    if not -rank <= axis < rank:
        raise NoBpuForm(f"axis {axis} is not one of shape {list(node.shape(0))}")
    return list(range(axis % rank, rank))


def _parameter(node: NodeImport, index: int, dims: list[int]) -> SSAValue:
    """A scale or bias with exactly the extents of `dims`."""
    wanted = tuple(node.shape(0)[axis] for axis in dims)
    if node.shape(index) == wanted:
        return node.value(index)
    name = node.node.inputs[index]
    array = node.constant(index, f"a parameter of other shape than {list(wanted)}")
    while array.ndim > len(wanted) and array.shape[0] == 1:
        array = array[0]
    try:
        full = np.broadcast_to(array, wanted)
    except ValueError:
        raise NoBpuForm(
            f"{name!r} of shape {list(array.shape)} varies outside the normalised axes"
        ) from None
    return node.constant_value(np.ascontiguousarray(full), name)

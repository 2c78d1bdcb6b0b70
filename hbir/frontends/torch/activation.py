"""Functions of one element."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from hbir.frontends import compositions
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports

_PLAIN = {
    "exp": "exp",
    "hardswish": "hard_swish",
    "mish": "mish",
    "reciprocal": "reciprocal",
    "relu": "relu",
    "sigmoid": "sigmoid",
    "silu": "swish",
    "tanh": "tanh",
}

_LARGEST = float(np.finfo(np.float32).max)


@imports(*(f"{name}.default" for name in _PLAIN))
def plain(node: NodeImport) -> SSAValue:
    """Functions without parameters → the op of the same name."""
    return node.result(_PLAIN[node.kind], node.value("self"))


@imports("gelu.default")
def gelu(node: NodeImport) -> SSAValue:
    """gelu → gelu, by erf or by tanh as `approximate` says."""
    return node.result("gelu", node.value("self"), approximate=node.str_("approximate"))


@imports("softplus.default")
def softplus(node: NodeImport) -> SSAValue:
    """softplus → softplus."""
    beta, threshold = node.float_("beta"), node.float_("threshold")
    return node.result("softplus", node.value("self"), beta=beta, threshold=threshold)


@imports("log_sigmoid.default")
def log_sigmoid(node: NodeImport) -> SSAValue:
    """log_sigmoid → neg, softplus, neg."""
    return compositions.log_sigmoid(node, node.value("self"))


@imports("elu.default")
def elu(node: NodeImport) -> SSAValue:
    """elu → elu; selu, which is elu with a scale, → elu, mul."""
    alpha, scale = node.float_("alpha"), node.float_("scale")
    if node.float_("input_scale") != 1:
        raise NoBpuForm(f"input_scale must be 1, got {node.float_('input_scale')}")
    if scale == 1:
        return node.result("elu", node.value("self"), alpha=alpha)
    return compositions.selu(node, node.value("self"), alpha, scale)


@imports("celu.default")
def celu(node: NodeImport) -> SSAValue:
    """celu → mul, elu, mul."""
    return compositions.celu(node, node.value("self"), node.float_("alpha"))


@imports("threshold.default")
def threshold(node: NodeImport) -> SSAValue:
    """threshold → thresholded_relu. What is below must become 0."""
    if node.float_("value") != 0:
        raise NoBpuForm(f"value must be 0, got {node.float_('value')}")
    return node.result("thresholded_relu", node.value("self"), alpha=node.float_("threshold"))


@imports("hardshrink.default", "softshrink.default")
def shrink(node: NodeImport) -> SSAValue:
    """hardshrink, softshrink → shrink."""
    bound = node.float_("lambd")
    bias = bound if node.kind == "softshrink" else 0.0
    return node.result("shrink", node.value("self"), lambd=bound, bias=bias)


@imports("hardsigmoid.default")
def hard_sigmoid(node: NodeImport) -> SSAValue:
    """hardsigmoid → hard_sigmoid of slope 1/6 and offset 1/2."""
    return node.result("hard_sigmoid", node.value("self"), alpha=1 / 6, beta=0.5)


@imports("hardtanh.default")
def hardtanh(node: NodeImport) -> SSAValue:
    """hardtanh (relu6 too) → clip."""
    return _clip(node, node.float_("min_val"), node.float_("max_val"))


@imports("relu6.default")
def relu6(node: NodeImport) -> SSAValue:
    """relu6 → clip."""
    return _clip(node, 0.0, 6.0)


@imports("clamp.default")
def clamp(node: NodeImport) -> SSAValue:
    """clamp → clip. An open side is open."""
    return _clip(node, node.float_("min", -_LARGEST), node.float_("max", _LARGEST))


@imports("clamp_min.default")
def clamp_min(node: NodeImport) -> SSAValue:
    """clamp_min → clip, open above."""
    return _clip(node, node.float_("min"), _LARGEST)


@imports("clamp_max.default")
def clamp_max(node: NodeImport) -> SSAValue:
    """clamp_max → clip, open below."""
    return _clip(node, -_LARGEST, node.float_("max"))


@imports("clamp.Tensor")
def clamp_by_tensors(node: NodeImport) -> SSAValue:
    """clamp by tensors → max, min."""
    value = node.value("self")
    for name, bound in (("max", "min"), ("min", "max")):
        if node.has(bound):
            value = node.emit(name, value, node.value(bound))
    return value


def _clip(node: NodeImport, low: float, high: float) -> SSAValue:
    if np.isnan(low) or np.isnan(high):
        raise NoBpuForm("its bounds must be numbers, one is nan")
    low, high = max(low, -_LARGEST), min(high, _LARGEST)
    # As torch: where the bounds cross, the result is the upper one everywhere.
    return node.result("clip", node.value("self"), min=min(low, high), max=high)


@imports("leaky_relu.default")
def leaky_relu(node: NodeImport) -> SSAValue:
    """leaky_relu → leaky_relu."""
    slope = node.float_("negative_slope")
    return node.result("leaky_relu", node.value("self"), slop=slope)


@imports("prelu.default")
def prelu(node: NodeImport) -> SSAValue:
    """prelu → prelu. The slope is one, or one per channel (axis 1)."""
    slope, rank = node.operand("weight"), len(node.shape())
    value = node.materialized(slope)
    if rank > 2 and slope.shape != (1,):
        shape = (*slope.shape, *(1,) * (rank - 2))
        known = slope.known
        value = (
            node.reshape(value, shape)
            if known is None
            else node.constant_value(known.reshape(shape), slope.name)
        )
    return node.result("prelu", node.value("self"), value)

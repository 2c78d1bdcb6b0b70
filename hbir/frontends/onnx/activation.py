"""Functions of one element."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from hbir.frontends import compositions
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports
from hbir.frontends.onnx.values import known_array

_PLAIN = {
    "Exp": "exp",
    "HardSwish": "hard_swish",
    "Mish": "mish",
    "Reciprocal": "reciprocal",
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Softplus": "softplus",
    "Softsign": "softsign",
    "Tanh": "tanh",
}

_SELU_ALPHA, _SELU_GAMMA = 1.6732632423543772, 1.0507009873554805
"""Published (ONNX): the constants that keep mean 0 and variance 1."""

_LARGEST = float(np.finfo(np.float32).max)


@imports(*_PLAIN)
def plain(node: NodeImport) -> SSAValue:
    """Functions without parameters → the op of the same name."""
    return node.result(_PLAIN[node.node.type], node.value(0))


@imports("Swish")
def swish(node: NodeImport) -> SSAValue:
    """x · sigmoid(alpha · x) → swish, between multiplications where alpha isn't 1."""
    alpha = node.float_("alpha", 1.0)
    if alpha == 0:
        raise NoBpuForm("alpha must not be 0")
    return compositions.scaled_swish(node, node.value(0), alpha)


@imports("Clip")
def clip(node: NodeImport) -> SSAValue:
    """Clip → clip, or max and min of computed bounds. They are attributes before opset 11."""
    if any(node.has(i) and known_array(node.raw(i)) is None for i in (1, 2)):
        return _clip_by_tensors(node)
    low = _bound(node, "min", 1, -_LARGEST)
    high = _bound(node, "max", 2, _LARGEST)
    if low > high:
        low = high  # as the specification says from opset 12: the result is max everywhere
    return node.result("clip", node.value(0), min=low, max=high)


def _clip_by_tensors(node: NodeImport) -> SSAValue:
    value = node.value(0)
    bounds = [(name, i) for name, i in (("max", 1), ("min", 2)) if node.has(i)]
    for name, index in bounds:
        last = index == bounds[-1][1]
        value = node.emit(
            name, value, node.value(index), origin=node.origin() if last else node.step(name)
        )
    return value


def _bound(node: NodeImport, key: str, index: int, default: float) -> float:
    if node.has(index):
        array = node.constant(index, f"its bound {key}")
        if array.size != 1:
            raise NoBpuForm(f"its bound {key} must be a scalar, it has shape {list(array.shape)}")
        value = float(array.reshape(-1)[0])
    else:
        value = node.float_(key, default)
    if np.isnan(value):
        raise NoBpuForm(f"its bound {key} must be a number, it is nan")
    return min(max(value, -_LARGEST), _LARGEST)


@imports("LeakyRelu")
def leaky_relu(node: NodeImport) -> SSAValue:
    """LeakyRelu → leaky_relu."""
    return node.result("leaky_relu", node.value(0), slop=node.float_("alpha", 0.01))


@imports("PRelu")
def prelu(node: NodeImport) -> SSAValue:
    """PRelu → prelu. The slope must broadcast to x."""
    return node.result("prelu", node.value(0), node.value(1))


@imports("HardSigmoid")
def hard_sigmoid(node: NodeImport) -> SSAValue:
    """HardSigmoid → hard_sigmoid."""
    alpha, beta = node.float_("alpha", 0.2), node.float_("beta", 0.5)
    return node.result("hard_sigmoid", node.value(0), alpha=alpha, beta=beta)


@imports("Gelu")
def gelu(node: NodeImport) -> SSAValue:
    """Gelu → gelu, by erf or by tanh as `approximate` says."""
    return node.result("gelu", node.value(0), approximate=node.str_("approximate", "none"))


@imports("Elu")
def elu(node: NodeImport) -> SSAValue:
    """Elu → elu."""
    return node.result("elu", node.value(0), alpha=node.float_("alpha", 1.0))


@imports("Selu")
def selu(node: NodeImport) -> SSAValue:
    """Selu → elu, mul."""
    alpha = node.float_("alpha", _SELU_ALPHA)
    return compositions.selu(node, node.value(0), alpha, node.float_("gamma", _SELU_GAMMA))


@imports("Celu")
def celu(node: NodeImport) -> SSAValue:
    """Celu → mul, elu, mul."""
    return compositions.celu(node, node.value(0), node.float_("alpha", 1.0))


@imports("ThresholdedRelu")
def thresholded_relu(node: NodeImport) -> SSAValue:
    """ThresholdedRelu → thresholded_relu."""
    return node.result("thresholded_relu", node.value(0), alpha=node.float_("alpha", 1.0))


@imports("Shrink")
def shrink(node: NodeImport) -> SSAValue:
    """Shrink → shrink."""
    lambd, bias = node.float_("lambd", 0.5), node.float_("bias", 0.0)
    return node.result("shrink", node.value(0), lambd=lambd, bias=bias)

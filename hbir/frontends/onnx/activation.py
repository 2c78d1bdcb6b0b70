"""Functions of one element."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from hbir.frontends.onnx.errors import NoBpuForm
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports

_PLAIN = {
    "Exp": "exp",
    "HardSwish": "hard_swish",
    "Reciprocal": "reciprocal",
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
}

_LARGEST = float(np.finfo(np.float32).max)


@imports(*_PLAIN)
def plain(node: NodeImport) -> SSAValue:
    """Functions without parameters → the op of the same name."""
    return node.result(_PLAIN[node.node.type], node.value(0))


@imports("Swish")
def swish(node: NodeImport) -> SSAValue:
    """x · sigmoid(alpha · x) → swish. alpha must be 1."""
    alpha = node.float_("alpha", 1.0)
    if alpha != 1.0:
        raise NoBpuForm(f"alpha must be 1, got {alpha}")
    return node.result("swish", node.value(0))


@imports("Clip")
def clip(node: NodeImport) -> SSAValue:
    """Clip → clip. The bounds are attributes before opset 11; they must be constant."""
    low = _bound(node, "min", 1, -_LARGEST)
    high = _bound(node, "max", 2, _LARGEST)
    if low > high:
        low = high  # as the specification says from opset 12: the result is max everywhere
    return node.result("clip", node.value(0), min=low, max=high)


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

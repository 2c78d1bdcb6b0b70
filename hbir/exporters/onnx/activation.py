"""Activation functions. Those that ONNX has under another opset are written out."""

from __future__ import annotations

import math

from hbir.exporters.onnx.node_export import NodeExport
from hbir.exporters.onnx.registry import exports


@exports("hbir.clip")
def clip(node: NodeExport) -> None:
    """Clip; an open side is left out."""
    low, high = node.params["min"], node.params["max"]
    bounds = [node.number(bound) if math.isfinite(bound) else "" for bound in (low, high)]
    node.finish("Clip", node.own(), *bounds, layout=node.layout())


@exports("hbir.leaky_relu")
def leaky_relu(node: NodeExport) -> None:
    """LeakyRelu."""
    node.finish("LeakyRelu", node.own(), layout=node.layout(), alpha=node.params["slop"])


@exports("hbir.prelu")
def prelu(node: NodeExport) -> None:
    """PRelu, the slopes brought into x's layout."""
    (x, slope), layout = node.broadcast(0, 1)
    node.finish("PRelu", x, slope, layout=layout)


@exports("hbir.hard_sigmoid")
def hard_sigmoid(node: NodeExport) -> None:
    """HardSigmoid."""
    alpha, beta = node.params["alpha"], node.params["beta"]
    node.finish("HardSigmoid", node.own(), layout=node.layout(), alpha=alpha, beta=beta)


@exports("hbir.swish")
def swish(node: NodeExport) -> None:
    """x · sigmoid(x); ONNX has it whole since opset 24."""
    x = node.own()
    node.finish("Mul", x, node.emit("Sigmoid", x), layout=node.layout())


@exports("hbir.gelu")
def gelu(node: NodeExport) -> None:
    """Gelu, written out before opset 20."""
    x, form = node.own(), node.params["approximate"]
    if node.opset >= 20:
        node.finish("Gelu", x, layout=node.layout(), approximate=form)
        return
    if form == "tanh":
        cube = node.emit("Mul", node.emit("Mul", x, x), x)
        inner = node.emit("Add", x, node.emit("Mul", cube, node.number(0.044715)))
        gate = node.emit("Tanh", node.emit("Mul", inner, node.number(math.sqrt(2 / math.pi))))
    else:
        gate = node.emit("Erf", node.emit("Mul", x, node.number(math.sqrt(0.5))))
    half = node.emit("Mul", x, node.number(0.5))
    node.finish("Mul", half, node.emit("Add", gate, node.number(1.0)), layout=node.layout())


@exports("hbir.softplus")
def softplus(node: NodeExport) -> None:
    """log(1 + exp(beta · x)) / beta; the threshold is where both forms agree to rounding, unless
    it is low: then it is written out."""
    beta, threshold = node.params["beta"], node.params["threshold"]
    x, layout = node.own(), node.layout()
    if beta == 1 and threshold >= 20:
        node.finish("Softplus", x, layout=layout)
        return
    scaled = node.emit("Mul", x, node.number(beta))
    soft = node.emit("Div", node.emit("Softplus", scaled), node.number(beta))
    if threshold >= 20:
        node.finish("Identity", soft, layout=layout)
        return
    node.finish(
        "Where", node.emit("Greater", scaled, node.number(threshold)), x, soft, layout=layout
    )


@exports("hbir.elu")
def elu(node: NodeExport) -> None:
    """Elu."""
    node.finish("Elu", node.own(), layout=node.layout(), alpha=node.params["alpha"])


@exports("hbir.thresholded_relu")
def thresholded_relu(node: NodeExport) -> None:
    """ThresholdedRelu."""
    node.finish("ThresholdedRelu", node.own(), layout=node.layout(), alpha=node.params["alpha"])


@exports("hbir.shrink")
def shrink(node: NodeExport) -> None:
    """Shrink."""
    lambd, bias = node.params["lambd"], node.params["bias"]
    node.finish("Shrink", node.own(), layout=node.layout(), lambd=lambd, bias=bias)

"""Arithmetic on two or more tensors that broadcast to each other."""

from __future__ import annotations

from xdsl.ir import SSAValue

from hbir.frontends.onnx.errors import NoBpuForm
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports

_BINARY = {"Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div"}
_VARIADIC = {"Sum": "add", "Max": "max", "Min": "min"}


@imports(*_BINARY)
def binary(node: NodeImport) -> SSAValue:
    """Add, Sub, Mul, Div → add, sub, mul, div."""
    return node.result(_BINARY[node.node.type], node.value(0), node.value(1))


@imports(*_VARIADIC)
def variadic(node: NodeImport) -> SSAValue:
    """Sum, Max, Min of n tensors → n − 1 of add, max, min, from the left."""
    name = _VARIADIC[node.node.type]
    if node.input_count == 0:
        raise NoBpuForm("it must have an input")
    value = node.value(0)
    for index in range(1, node.input_count):
        last = index == node.input_count - 1
        value = node.emit(
            name,
            value,
            node.value(index),
            origin=node.origin() if last else node.step(f"{name}{index}"),
        )
    return value

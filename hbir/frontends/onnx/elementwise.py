"""Arithmetic on two or more tensors that broadcast to each other."""

from __future__ import annotations

import numpy as np
from xdsl.ir import SSAValue

from hbir.frontends.compositions import number
from hbir.frontends.errors import NoBpuForm
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
    return _from_the_left(node, _VARIADIC[node.node.type], is_result=True)


@imports("Mean")
def mean(node: NodeImport) -> SSAValue:
    """Mean of n tensors → n − 1 of add, then mul by 1/n."""
    total = _from_the_left(node, "add", is_result=node.input_count == 1)
    if node.input_count == 1:
        return total
    return node.result("mul", total, number(node, 1 / node.input_count))


def _from_the_left(node: NodeImport, name: str, *, is_result: bool) -> SSAValue:
    """op(op(input 0, input 1), input 2) …; `is_result` says whether it is the node's result."""
    if node.input_count == 0:
        raise NoBpuForm("it must have an input")
    value = node.value(0)
    for index in range(1, node.input_count):
        last = is_result and index == node.input_count - 1
        value = node.emit(
            name,
            value,
            node.value(index),
            origin=node.origin() if last else node.step(f"{name}{index}"),
        )
    return value


@imports("Pow")
def power(node: NodeImport) -> SSAValue:
    """Pow → pow. The exponent may be integers when they are constant."""
    base, exponent = node.value(0), node.raw(1)
    if isinstance(exponent, np.ndarray) and exponent.dtype != np.float32:
        as_float = node.constant_value(exponent.astype(np.float32), node.node.inputs[1])
        return node.result("pow", base, as_float)
    return node.result("pow", base, node.value(1))


@imports("Mod")
def modulo(node: NodeImport) -> SSAValue:
    """Mod of floats → mod, with the dividend's sign (fmod = 1) or the divisor's."""
    truncates = bool(node.int_("fmod", 0))
    return node.result("mod", node.value(0), node.value(1), same_sign_as_dividend=truncates)

"""Arithmetic on two tensors, or a tensor and a number, that broadcast to each other."""

from __future__ import annotations

from xdsl.ir import SSAValue

from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports

_BINARY = {"maximum": "max", "minimum": "min", "mul": "mul"}
_SCALED = {"add": "add", "sub": "sub"}


@imports("mul.Tensor", "mul.Scalar", "maximum.default", "minimum.default")
def binary(node: NodeImport) -> SSAValue:
    """mul, maximum, minimum → mul, max, min."""
    return node.result(_BINARY[node.kind], node.value("self"), node.value("other"))


@imports("max.other", "min.other")
def extremum(node: NodeImport) -> SSAValue:
    """max, min of two tensors → max, min."""
    return node.result(node.kind, node.value("self"), node.value("other"))


@imports("add.Tensor", "add.Scalar", "sub.Tensor", "sub.Scalar")
def scaled(node: NodeImport) -> SSAValue:
    """self ± alpha · other → add, sub; mul for an alpha other than 1."""
    return node.result(_SCALED[node.kind], node.value("self"), _times_alpha(node, "other"))


@imports("rsub.Tensor", "rsub.Scalar")
def reversed_sub(node: NodeImport) -> SSAValue:
    """other − alpha · self → sub."""
    return node.result("sub", node.value("other"), _times_alpha(node, "self"))


def _times_alpha(node: NodeImport, name: str) -> SSAValue:
    value, alpha = node.value(name), node.float_("alpha")
    return value if alpha == 1 else node.emit("mul", value, node.number(alpha, "alpha"))


@imports("div.Tensor", "div.Scalar", "div.Tensor_mode")
def div(node: NodeImport) -> SSAValue:
    """div → div. It must not round."""
    if "rounding_mode" in node.names and node.has("rounding_mode"):
        raise NoBpuForm(f"rounding_mode must be None, got {node.str_('rounding_mode')!r}")
    return node.result("div", node.value("self"), node.value("other"))


@imports("pow.Tensor_Scalar", "pow.Tensor_Tensor", "pow.Scalar")
def power(node: NodeImport) -> SSAValue:
    """pow → pow."""
    return node.result("pow", node.value("self"), node.value("exponent"))


@imports("fmod.Tensor", "fmod.Scalar", "remainder.Tensor", "remainder.Scalar")
def modulo(node: NodeImport) -> SSAValue:
    """fmod → mod with the dividend's sign, remainder → mod with the divisor's."""
    operands = node.value("self"), node.value("other")
    return node.result("mod", *operands, same_sign_as_dividend=node.kind == "fmod")

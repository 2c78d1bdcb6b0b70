"""Elementary functions of one element."""

from __future__ import annotations

import math

from xdsl.ir import SSAValue

from hbir.frontends import compositions
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports

_PLAIN = (
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "ceil",
    "cos",
    "cosh",
    "erf",
    "floor",
    "log",
    "neg",
    "round",
    "rsqrt",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "tan",
)


@imports(*(f"{name}.default" for name in _PLAIN))
def plain(node: NodeImport) -> SSAValue:
    """Elementary functions → the op of the same name. On integers they stay on the CPU."""
    return node.result(node.kind, node.value("self"))


@imports("round.decimals")
def rounded(node: NodeImport) -> SSAValue:
    """round to decimals → round."""
    return node.result("round", node.value("self"), decimals=node.int_("decimals"))


@imports("square.default")
def square(node: NodeImport) -> SSAValue:
    """self² → mul."""
    return compositions.square(node, node.value("self"))


@imports("exp2.default")
def power_of_two(node: NodeImport) -> SSAValue:
    """2 to the power self → exp of self · log 2."""
    return node.result("exp", node.emit("mul", node.value("self"), node.number(math.log(2), "ln2")))


@imports("expm1.default")
def exponential_minus_one(node: NodeImport) -> SSAValue:
    """exp(self) − 1 → exp, sub."""
    return node.result("sub", node.emit("exp", node.value("self")), node.number(1.0, "one"))


@imports("log1p.default")
def log_of_one_plus(node: NodeImport) -> SSAValue:
    """log(1 + self) → add, log."""
    return node.result("log", node.emit("add", node.value("self"), node.number(1.0, "one")))


_BASES = {"log2": 2.0, "log10": 10.0}


@imports("log2.default", "log10.default")
def logarithm(node: NodeImport) -> SSAValue:
    """log2, log10 → log, mul."""
    factor = node.number(1 / math.log(_BASES[node.kind]), "factor")
    return node.result("mul", node.emit("log", node.value("self")), factor)

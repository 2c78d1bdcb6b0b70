"""Changes of the element type, and operators that change nothing."""

from __future__ import annotations

from hbir.errors import HbirError
from hbir.frontends.errors import NoBpuForm
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports
from hbir.frontends.torch.values import Value
from hbir.ir.types import element_type


@imports("_to_copy.default", "to.dtype", "to.device")
def cast(node: NodeImport) -> list[Value]:
    """to → cast_type, or nothing when the type stays."""
    operand = node.operand("self")
    if operand.dtype == node.result_dtype:
        return [operand.value]
    try:
        element = element_type(node.result_dtype)
    except HbirError as error:
        raise NoBpuForm(str(error)) from error
    return [node.result("cast_type", node.value("self"), element=element)]


@imports(
    "alias.default",
    "clone.default",
    "contiguous.default",
    "detach.default",
    "lift_fresh_copy.default",
)
def identity(node: NodeImport) -> list[Value]:
    """Copies → nothing."""
    return [node.operand("self").value]


@imports("dropout.default")
def dropout(node: NodeImport) -> list[Value]:
    """dropout → nothing. It must not be in training mode."""
    if node.bool_("train"):
        raise NoBpuForm("it is in training mode; call module.eval() before the export")
    return [node.operand("input").value]

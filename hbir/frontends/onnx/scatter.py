"""ScatterElements (Scatter, as it was called first) and ScatterND."""

from __future__ import annotations

from xdsl.ir import SSAValue

from hbir.frontends.onnx.move import axis_of
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports


@imports("ScatterElements", "Scatter")
def scatter_elements(node: NodeImport) -> SSAValue:
    """ScatterElements → scatter_elements."""
    return node.result(
        "scatter_elements",
        *(node.value(index) for index in range(3)),
        dim=axis_of(node.int_("axis", 0), len(node.shape(0))),
        scatter_reduce_mode=node.str_("reduction", "none"),
    )


@imports("ScatterND")
def scatter_nd(node: NodeImport) -> SSAValue:
    """ScatterND → scatter_nd."""
    operands = (node.value(index) for index in range(3))
    return node.result("scatter_nd", *operands, scatter_reduce_mode=node.str_("reduction", "none"))

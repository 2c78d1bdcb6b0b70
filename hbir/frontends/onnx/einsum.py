"""Einsum of one or two tensors."""

from __future__ import annotations

from xdsl.ir import SSAValue

from hbir.frontends import einsum as einsums
from hbir.frontends.onnx.node_import import NodeImport
from hbir.frontends.onnx.registry import imports


@imports("Einsum")
def einsum(node: NodeImport) -> SSAValue:
    """Einsum → matmul where two operands share a summed axis, else mul; around it, moves."""
    operands = [node.value(index) for index in range(node.input_count)]
    return einsums.einsum(node, node.str_("equation", ""), operands)

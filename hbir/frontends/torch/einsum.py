"""einsum of one or two tensors."""

from __future__ import annotations

from xdsl.ir import SSAValue

from hbir.frontends import einsum as einsums
from hbir.frontends.torch.node_import import NodeImport
from hbir.frontends.torch.registry import imports


@imports("einsum.default")
def einsum(node: NodeImport) -> SSAValue:
    """einsum → matmul where two operands share a summed axis, else mul; around it, moves."""
    operands = [node.materialized(operand) for operand in node.operands("tensors")]
    return einsums.einsum(node, node.str_("equation"), operands)
